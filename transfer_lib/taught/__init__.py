"""What lessons define and later lessons import. Built from `course/`; edit it there."""
