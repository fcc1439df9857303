"""From a page's source to its outputs: read, execute, remember what the outputs depend on."""
