"""What can be seen of a wrong gradient from numbers alone: one family of explanations a file, tried by `learn.doctor`."""
