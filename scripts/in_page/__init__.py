"""What runs in the reader's browser: the cells of a page, and the grader, without a process."""
