"""What the commands print: results for people (printers), plain output (console) and progress (progress)."""
