"""All calculus, a file a family."""
