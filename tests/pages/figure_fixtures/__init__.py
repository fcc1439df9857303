"""What the interactive figures compute, by the book's own code: one module for each of theirs."""
