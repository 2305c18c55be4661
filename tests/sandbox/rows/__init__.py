"""The rules of AWS that the sandbox keeps, one module for each gap; each has a `ROWS`."""
