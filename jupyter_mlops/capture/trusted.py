"""The types that we trust beyond those that skops trusts by itself, for each scikit-learn.

The list is ours and never comes from a file. A type is in it when loading it runs no code that
the file chooses; those whose content could still do harm are range-checked in ``trees``.
Functions are in it only where estimators keep them as arguments, and none of them reaches the
file system, a process or the network.
"""

from __future__ import annotations


def _under(prefix: str, names: str) -> frozenset[str]:
    return frozenset(f"{prefix}.{name}" for name in names.split())


_TREES = frozenset(
    {
        "sklearn.tree._tree.Tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neighbors._kd_tree.KDTree32",
        "sklearn.neighbors._kd_tree.KDTree64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._ball_tree.BallTree32",
        "sklearn.neighbors._ball_tree.BallTree64",
    }
)
_DISTANCES = _under(
    "sklearn.metrics._dist_metrics",
    " ".join(
        f"{name}Distance{bits}"
        for name in (
            *("Euclidean", "SEuclidean", "Manhattan", "Chebyshev", "Minkowski", "Mahalanobis"),
            *("Hamming", "Canberra", "BrayCurtis", "Jaccard", "Dice", "RogersTanimoto"),
            *("RussellRao", "SokalMichener", "SokalSneath", "Haversine"),
        )
        for bits in ("32", "64")
    ),
)
_LOSSES = _under(
    "sklearn._loss.loss",
    "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss "
    "HalfPoissonLoss HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss "
    "PinballLoss",
) | _under(
    "sklearn._loss.link",
    "HalfLogitLink IdentityLink Interval LogitLink LogLink MultinomialLogit",
)
_KERNELS = _under(
    "sklearn.gaussian_process.kernels",
    "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Hyperparameter "
    "Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel",
) | {"sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace"}
_SELECTION = _under(
    "sklearn.model_selection._split",
    "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut "
    "PredefinedSplit RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold "
    "StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper",
) | _under(
    "sklearn.metrics._scorer",
    "_BaseScorer _MultimetricScorer _PassthroughScorer _Scorer",
)
_PARTS = frozenset(
    {
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.multiclass._ConstantPredictor",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.preprocessing._label.LabelEncoder",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        "sklearn.impute._iterative._ImputerTriplet",
        "scipy.interpolate._bsplines.BSpline",
        # Calls what it holds, which must be trusted itself.
        "functools.partial",
        "sklearn.utils.validation.check_array",
    }
)
_NUMBERS = frozenset(
    {
        "numpy.dtype",
        "numpy.random.mtrand.RandomState",
        "numpy.random._generator.Generator",
        "collections.OrderedDict",
        "builtins.NoneType",
        # What columns are selected by.
        "builtins.object",
        "numpy.bool_",
        "numpy.floating",
        "numpy.generic",
        "numpy.inexact",
        "numpy.integer",
        "numpy.number",
        "numpy.object_",
        "numpy.signedinteger",
        "numpy.unsignedinteger",
    }
) | frozenset(
    f"scipy.sparse._{layout}.{layout}_{noun}"
    for layout in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for noun in ("matrix", "array")
)
_FUNCTIONS = (
    _under(
        "numpy",
        "mean median sum min max amin amax prod std var nan_to_num clip round ravel",
    )
    | _under(
        "sklearn.feature_selection._univariate_selection",
        "chi2 f_classif f_oneway f_regression r_regression",
    )
    | _under("sklearn.feature_selection._mutual_info", "mutual_info_classif mutual_info_regression")
    | _under("sklearn.cluster._kmeans", "_kmeans_single_elkan _kmeans_single_lloyd")
    | _under(
        "sklearn.metrics._classification",
        "accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score f1_score "
        "fbeta_score jaccard_score log_loss matthews_corrcoef precision_score recall_score",
    )
    | _under("sklearn.metrics._ranking", "average_precision_score roc_auc_score")
    | _under(
        "sklearn.metrics._regression",
        "d2_absolute_error_score explained_variance_score max_error mean_absolute_error "
        "mean_absolute_percentage_error mean_gamma_deviance mean_poisson_deviance "
        "mean_squared_error mean_squared_log_error median_absolute_error r2_score "
        "root_mean_squared_error root_mean_squared_log_error",
    )
    | {"scipy._lib.array_api_compat.numpy._aliases.asarray"}
)

# A pipeline's step may be a model of these libraries. What they keep as text or bytes inside of it
# is range-checked before it is opened (``embedded``).
_OTHERS = (
    _under("xgboost.sklearn", "XGBClassifier XGBModel XGBRFClassifier XGBRFRegressor XGBRanker")
    | _under("lightgbm.sklearn", "LGBMClassifier LGBMModel LGBMRanker LGBMRegressor")
    | {"xgboost.core.Booster", "xgboost.sklearn.XGBRegressor", "lightgbm.basic.Booster"}
)
#: The oldest scikit-learn whose types were looked at.
OLDEST = (1, 5)
#: What only some have: the first release, the one that has it no more, the names.
_SOME: tuple[tuple[tuple[int, int], tuple[int, int], frozenset[str]], ...] = (
    ((1, 5), (1, 9), frozenset({"sklearn.compose._column_transformer._RemainderColsList"})),
    ((1, 6), (9, 0), frozenset({"sklearn.metrics._scorer._CurveScorer"})),
)
_ALWAYS: frozenset[str] = frozenset().union(
    _TREES,
    _DISTANCES,
    _LOSSES,
    _KERNELS,
    _SELECTION,
    _PARTS,
    _NUMBERS,
    _FUNCTIONS,
    _OTHERS,
)


def for_version(version: str) -> frozenset[str]:
    """Return what is trusted of a scikit-learn; nothing of one that is older than our lists.

    One that is newer than all lists gets the last one: what it has renamed is refused by name.
    """
    major, minor, *_ = (*version.split("."), "0")
    release = (int(major), int("".join(filter(str.isdigit, minor)) or 0))
    if release < OLDEST:
        return frozenset()
    return _ALWAYS.union(*(names for first, end, names in _SOME if first <= release < end))
