"""Linear algebra: products, decompositions, equations, norms, a file each."""
