"""What runs Python in the browser: fetched, compiled, packed, and named by its hash."""
