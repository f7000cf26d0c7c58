"""What the lessons have taught, for later lessons and tests to import. Built."""
