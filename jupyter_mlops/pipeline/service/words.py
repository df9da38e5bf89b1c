"""What calls do to rows, by their names. A wrong word costs a candidate, never a wrong service.

Every candidate is proven against the notebook's own predictions before it is believed.
"""

from __future__ import annotations

#: Methods that choose or order rows: a service answers whatever rows it is sent.
CHOOSES = frozenset(
    {"dropna", "sample", "head", "tail", "query", "drop_duplicates", "sort_values", "sort_index",
     "reset_index", "nlargest", "nsmallest", "truncate", "first", "last"}
)  # fmt: skip
#: Those of them after which rows have other labels.
RELABELS = frozenset({"reset_index"})
#: Functions that choose rows of each of their arguments.
SHUFFLES = frozenset({"shuffle", "resample"})
#: Methods that make more rows of some, for training only.
RESAMPLES = frozenset({"fit_resample", "fit_sample"})
#: What is learned from many rows at once, unless it goes along the columns.
LEARNS = frozenset(
    {"mean", "median", "std", "var", "min", "max", "sum", "mode", "quantile", "percentile",
     "nunique", "unique", "value_counts", "describe", "corr", "cov", "count", "nanmean",
     "nanmedian", "nanstd", "nanmin", "nanmax", "average", "to_dict", "skew", "kurt", "sem",
     "idxmax", "idxmin", "agg", "aggregate", "score", "fit", "partial_fit",
     "any", "all", "size", "keys", "info", "memory_usage", "ptp", "nanpercentile"}
)  # fmt: skip
#: Attributes that tell of a table as a whole.
ABOUT = frozenset(
    {"columns", "shape", "dtypes", "dtype", "size", "ndim", "empty", "feature_names",
     "target_names", "categories", "DESCR", "nbytes", "filename"}
)  # fmt: skip
#: Built-in functions whose answer is of the whole.
WHOLE = frozenset({"len", "max", "min", "sum", "set", "sorted", "Counter", "print", "display"})
#: Ends of the names of metrics.
METRICS = ("_score", "_error", "_loss", "_report", "_matrix", "_curve", "_validate")
#: Beginnings of the names of what reads or makes data.
READS = ("read_", "load_", "fetch_", "from_")
SOURCES = frozenset(
    {"make_classification", "make_regression", "make_blobs", "make_moons", "make_circles",
     "make_friedman1", "make_friedman2", "make_friedman3", "make_gaussian_quantiles", "load",
     "loadtxt", "genfromtxt", "normal", "uniform", "randn", "rand", "randint", "random",
     "integers", "choice", "arange", "linspace", "permutation", "standard_normal", "ones",
     "zeros", "poisson", "exponential", "binomial", "lognormal", "gamma", "full",
     "multivariate_normal", "random_sample", "beta", "date_range", "load_dataset", "execute",
     "download"}
)  # fmt: skip
#: Ways to write a table's rows that leave them as they are.
FRAMES = frozenset({"DataFrame", "Series"})
#: Methods of estimators that answer for each row.
ANSWERS = ("predict", "predict_proba", "decision_function")
#: Methods whose arguments are looked up in, row by row.
LOOKS = frozenset({"merge", "join", "map", "isin", "replace"})
#: Methods that fit and answer, and what answers once they are fitted.
FITS = {"fit_transform": "transform", "fit_predict": "predict"}
