"""What can be seen of a wrong gradient from numbers alone: one file a family; `learn.doctor` tries them."""
