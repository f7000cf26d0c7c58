"""The exercises, one module per lesson. The lessons' sources hold the answers."""
