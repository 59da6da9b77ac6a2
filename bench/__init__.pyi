from bench import errors as errors
from bench.api import align as align
from bench.api import fuse as fuse
from bench.api import run as run
from bench.api import score as score
from bench.core.errors import Skipped as Skipped
from reports.data.results import load_results as load_results

__version__: str
