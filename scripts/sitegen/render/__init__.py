"""From outputs to Markdown and mathematics: figures, references, glossary, formulas, fonts."""
