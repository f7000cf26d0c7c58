"""What the lessons teach, importable: built from their cells, never edited."""
