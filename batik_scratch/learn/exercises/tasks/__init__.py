"""What the checker knows about each exercise, one file each: shapes to try, typical mistakes, hints."""
