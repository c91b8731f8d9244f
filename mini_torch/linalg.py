"""The door to `torch.linalg`."""

from .errors import LinAlgError as LinAlgError
from .ops.linalg.definite import cholesky as cholesky
from .ops.linalg.definite import cholesky_ex as cholesky_ex
from .ops.linalg.elimination import lu as lu
from .ops.linalg.elimination import lu_factor as lu_factor
from .ops.linalg.elimination import lu_factor_ex as lu_factor_ex
from .ops.linalg.elimination import lu_solve as lu_solve
from .ops.linalg.elimination import solve_triangular as solve_triangular
from .ops.linalg.inverses import det as det
from .ops.linalg.inverses import inv as inv
from .ops.linalg.inverses import inv_ex as inv_ex
from .ops.linalg.inverses import slogdet as slogdet
from .ops.linalg.inverses import solve as solve
from .ops.linalg.inverses import solve_ex as solve_ex
from .ops.linalg.inverses import tensorinv as tensorinv
from .ops.linalg.inverses import tensorsolve as tensorsolve
from .ops.linalg.norms import cond as cond
from .ops.linalg.norms import matrix_norm as matrix_norm
from .ops.linalg.norms import norm_of as norm  # noqa: F401
from .ops.linalg.norms import vector_norm as vector_norm
from .ops.linalg.orthogonal import qr as qr
from .ops.linalg.powers import matrix_exp as matrix_exp
from .ops.linalg.powers import matrix_power as matrix_power
from .ops.linalg.powers import multi_dot as multi_dot
from .ops.linalg.products import matmul as matmul
from .ops.linalg.reflections import householder_product as householder_product
from .ops.linalg.singular import lstsq as lstsq
from .ops.linalg.singular import matrix_rank as matrix_rank
from .ops.linalg.singular import pinv as pinv
from .ops.linalg.singular import svd as svd
from .ops.linalg.singular import svdvals as svdvals
from .ops.linalg.spectrum import eig as eig
from .ops.linalg.spectrum import eigh as eigh
from .ops.linalg.spectrum import eigvals as eigvals
from .ops.linalg.spectrum import eigvalsh as eigvalsh
from .ops.linalg.symmetric import ldl_factor as ldl_factor
from .ops.linalg.symmetric import ldl_factor_ex as ldl_factor_ex
from .ops.linalg.symmetric import ldl_solve as ldl_solve
from .ops.linalg.vectors import linalg_cross as cross  # noqa: F401
from .ops.linalg.vectors import linalg_diagonal as diagonal  # noqa: F401
from .ops.linalg.vectors import linalg_vander as vander  # noqa: F401
from .ops.linalg.vectors import vecdot as vecdot
