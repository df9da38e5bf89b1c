"""What methods do to the object they are called on, by its kind."""

from __future__ import annotations

LIST = frozenset(
    """
    append extend insert remove pop clear sort reverse
    """.split()
)
DICT = frozenset(
    """
    update setdefault pop popitem clear move_to_end subtract
    """.split()
)
SET = frozenset(
    """
    add discard remove pop clear update difference_update intersection_update
    symmetric_difference_update
    """.split()
)
DEQUE = LIST | frozenset(["appendleft", "extendleft", "popleft", "rotate"])
#: Methods that take the items of what they are given, and not the thing itself.
EMPTYING = frozenset(["extend", "update", "extendleft"])
#: Methods that change what they are called on, whatever it is.
CHANGING = (LIST | DICT | SET | DEQUE) - {"add", "insert", "pop", "remove", "sort", "update"}
ARRAY = CHANGING | frozenset(
    """
    sort fill resize put partition itemset setflags setfield byteswap insert remove pop
    """.split()
)
PANDAS = ARRAY | frozenset(["update", "set_flags"])
ESTIMATOR = frozenset(
    """
    fit fit_transform fit_predict partial_fit set_params fit_resample set_output train
    update warm_start refit set_fit_request set_score_request
    """.split()
)

#: Methods of open files, pipes and buffers that give text, bytes or numbers.
TEXT_OF_FILE = frozenset(
    """
    read readline readlines read1 getvalue tell fileno write writelines close flush seek
    """.split()
)

#: Methods that change the object, by kind. A kind with ``None`` changes at every call.
MUTATORS: dict[str, frozenset[str] | None] = {
    "list": LIST,
    "dict": DICT,
    "set": SET,
    "deque": DEQUE,
    "tuple": frozenset(),
    "array": ARRAY,
    "pandas": PANDAS,
    "estimator": ESTIMATOR,
    "atom": frozenset(),
    "rng": None,
    "iterator": None,
    "generator": None,
    "file": None,
    "stream": None,
    "connection": None,
    "lock": None,
    "thread": None,
    "figure": None,
    "callable": None,
    "patch": None,
    "weak": frozenset(),
}

#: Special methods that leave the object as it is; any other one may change it.
READING = frozenset(
    """
    __abs__ __add__ __and__ __array__ __bool__ __bytes__ __call__ __ceil__ __class__
    __class_getitem__ __contains__ __copy__ __deepcopy__ __dir__ __divmod__ __eq__ __float__
    __floor__ __floordiv__ __format__ __ge__ __getattribute__ __getitem__ __getstate__ __gt__
    __hash__ __index__ __int__ __invert__ __iter__ __le__ __len__ __lshift__ __lt__ __matmul__
    __mod__ __mul__ __ne__ __neg__ __or__ __pos__ __pow__ __radd__ __rand__ __rdivmod__
    __reduce__ __reduce_ex__ __repr__ __reversed__ __rfloordiv__ __rlshift__ __rmatmul__
    __rmod__ __rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__
    __rxor__ __sizeof__ __str__ __sub__ __truediv__ __trunc__ __xor__ __dict__ __name__
    __qualname__ __doc__ __module__ __enter__ __exit__ __class__ __annotations__ __version__
    __file__ __path__ __spec__ __slots__ __wrapped__ __self__ __func__
    """.split()
)

#: Methods of text whose result is a list of pieces.
SPLITTING = frozenset(["split", "rsplit", "splitlines"])

#: On these kinds a method that is not in the table leaves the object as it is.
CLOSED = frozenset({"list", "dict", "set", "deque", "tuple", "array", "pandas", "atom"})

#: Methods that leave any object of any common library as it is.
HARMLESS = frozenset(
    """
    head tail describe info sample_size mean median std var sum prod min max argmin argmax
    cumsum cumprod quantile corr cov abs round any all unique nunique value_counts groupby
    agg aggregate merge join concat copy astype to_numpy to_dict to_list tolist to_frame
    to_string to_markdown to_html isna isnull notna notnull fillna dropna drop_duplicates
    sort_values sort_index reset_index set_index rename assign melt pivot pivot_table stack
    unstack explode query filter between isin where mask clip diff shift rolling expanding
    ewm resample iterrows itertuples items keys values format split rsplit strip lstrip
    rstrip lower upper title capitalize replace startswith endswith encode decode zfill
    splitlines count index find predict predict_proba predict_log_proba decision_function
    score transform inverse_transform get_params get_feature_names_out apply map applymap
    transpose reshape ravel flatten squeeze dot conj nonzero searchsorted summary params_
    isoformat strftime strptime total_seconds timestamp date time weekday hexdigest digest
    as_posix with_suffix relative_to is_integer bit_length conjugate most_common elements
    union intersection difference issubset issuperset isdisjoint
    """.split()
)

#: Methods of arrays and frames whose result may share memory with the object.
VIEWS = frozenset(
    """
    reshape ravel view transpose squeeze swapaxes diagonal T values array loc iloc at iat
    real imag flat base head tail get to_numpy columns index axes str dt cat plot style xs
    set_index __getitem__ setdefault
    """.split()
)

TEXT_ATTRIBUTES = frozenset({"__name__", "__qualname__", "__doc__", "__module__"})
#: Attributes that are immutable whatever the object is.
ATOM_ATTRIBUTES = frozenset(
    """
    shape size ndim dtype dtypes nbytes itemsize empty name __name__ __doc__ __class__
    """.split()
)

#: Classes whose methods are called with the object as their first argument, too.
CLASSES = frozenset(
    """
    list dict set bytearray object deque Counter OrderedDict defaultdict ndarray DataFrame
    Series MutableSequence MutableMapping MutableSet UserList UserDict
    """.split()
)

#: Methods of arrays and frames whose result holds the same items.
HOLDING = frozenset(
    """
    groupby rolling expanding ewm resample items iterrows itertuples to_dict to_list tolist
    """.split()
)

#: What methods of arrays and frames give: the kind of the new object.
RESULTS: dict[str, dict[str, str]] = {
    "pandas": {
        "to_dict": "unknown", "to_list": "list", "tolist": "list", "to_numpy": "array",
        "items": "iterator", "iterrows": "iterator", "itertuples": "iterator",
        "to_csv": "atom", "to_json": "atom", "to_string": "atom", "to_html": "atom",
        "to_markdown": "atom", "keys": "pandas", "plot": "figure", "hist": "figure",
        "boxplot": "figure", "pipe": "unknown", "nunique": "atom",
    },
    "array": {"tolist": "list", "tobytes": "atom", "item": "atom"},
}  # fmt: skip

#: Methods that write or read a file at an argument, on any object.
FILE_METHODS: dict[str, tuple[str, int]] = {
    "to_csv": ("out", 0), "to_excel": ("out", 0), "to_json": ("out", 0), "to_parquet": ("out", 0),
    "to_pickle": ("out", 0), "to_feather": ("out", 0), "to_hdf": ("change", 0),
    "to_html": ("out", 0), "to_markdown": ("out", 0), "to_latex": ("out", 0),
    "to_stata": ("out", 0), "to_xml": ("out", 0), "to_orc": ("out", 0), "to_string": ("out", 0),
    "savefig": ("out", 0), "tofile": ("out", 0), "dump": ("out", 0), "save_model": ("out", 0),
    "load_model": ("in", 0), "write_image": ("out", 0), "write_html": ("out", 0),
    "load_state_dict": ("none", 0),
}  # fmt: skip

#: Methods of ``pathlib.Path`` that touch the file itself.
PATH_METHODS: dict[str, str] = {
    "write_text": "out", "write_bytes": "out", "touch": "out", "mkdir": "out", "unlink": "change",
    "rmdir": "change", "rename": "change", "replace": "change", "read_text": "in",
    "read_bytes": "in", "exists": "in", "is_file": "in", "is_dir": "in", "stat": "in",
    "iterdir": "all", "glob": "all", "rglob": "all", "symlink_to": "out",
}  # fmt: skip

#: scikit-learn classes whose fit draws no random numbers, whatever they are given.
DETERMINISTIC = frozenset(
    """
    LinearRegression Ridge RidgeCV StandardScaler MinMaxScaler MaxAbsScaler RobustScaler
    Normalizer OneHotEncoder OrdinalEncoder LabelEncoder LabelBinarizer SimpleImputer
    KNeighborsClassifier KNeighborsRegressor GaussianNB MultinomialNB BernoulliNB Pipeline
    ColumnTransformer PolynomialFeatures FunctionTransformer VarianceThreshold
    CountVectorizer TfidfVectorizer TfidfTransformer FeatureUnion LinearDiscriminantAnalysis
    QuadraticDiscriminantAnalysis IsotonicRegression Binarizer KBinsDiscretizer
    DictVectorizer SelectKBest AgglomerativeClustering DBSCAN NearestNeighbors
    TransformedTargetRegressor VotingClassifier VotingRegressor SVR KernelRidge Lasso
    LassoCV ElasticNet ElasticNetCV Lars BayesianRidge HuberRegressor TimeSeriesSplit
    LeaveOneOut ConfusionMatrixDisplay RocCurveDisplay
    """.split()
)
