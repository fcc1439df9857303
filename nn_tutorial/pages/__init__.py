"""What only the pages use: figures, equations and exercises shown in a notebook."""
