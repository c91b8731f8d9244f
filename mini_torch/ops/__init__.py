"""All calculus, a file a family; `catalog` has every public function."""
