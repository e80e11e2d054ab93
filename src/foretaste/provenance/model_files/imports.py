"""Which names a model file may import: a short list of harmless ones, known dangerous ones with the reason.

Everything else is unknown. The harmless names are exact, or classes of a library whose pickles consist of
them; a dotted name below a module (``torch.serialization``, ``os.system``) is never harmless, because it may
reach whatever that module has imported. A list of bad names alone does not hold: PickleScan's was bypassed
with ``pip.main`` (CVE-2025-1716) and others since. After E. Sultanik, "Never a dill moment", 2021 (Fickling).
"""

from __future__ import annotations

import re
from collections.abc import Collection

RUNS_COMMANDS = "runs commands of the operating system"
RUNS_CODE = "runs code that the file brings along"
LOADS_CODE = "loads and runs code from elsewhere"
LOADS_PICKLES = "loads another pickle, which can run anything"
NETWORK = "opens network connections"
FILES = "reads, writes or deletes files"
REACHES = "fetches any attribute or builds any function, the usual step towards running code"
NATIVE = "calls native code or changes memory"
DEBUGS = "runs code under a debugger, profiler or test runner"

_MODULES: dict[str, str] = {
    RUNS_COMMANDS: "os posix nt subprocess _posixsubprocess pty commands popen2 platform pexpect sh fabric "
    "invoke paramiko multiprocessing concurrent _winapi win32api win32com msvcrt",
    RUNS_CODE: "code codeop runpy marshal types new timeit idlelib lib2to3 pydoc pydoc_data doctest "
    "cProfile profile trace atexit threading _thread thread signal",
    LOADS_CODE: "importlib imp _imp _frozen_importlib _frozen_importlib_external pkgutil zipimport pip "
    "setuptools pkg_resources distutils ensurepip venv site sysconfig _osx_support ctypesgen cffi",
    LOADS_PICKLES: "pickle _pickle cPickle dill cloudpickle shelve jsonpickle",
    NETWORK: "socket _socket ssl _ssl asyncio http httplib urllib urllib2 urllib3 requests httpx aiohttp "
    "ftplib smtplib smtpd telnetlib poplib imaplib nntplib xmlrpc xmlrpclib socketserver SocketServer "
    "webbrowser wsgiref",
    FILES: "shutil tempfile io _io fileinput glob linecache zipfile tarfile sqlite3 _sqlite3 dbm mmap "
    "fcntl pathlib._local.os logging",
    REACHES: "operator _operator _functools inspect gc sys unittest mock",
    NATIVE: "ctypes _ctypes mmap resource faulthandler",
    DEBUGS: "pdb bdb pytest _pytest test nose IPython ipykernel",
}
DANGEROUS_MODULES = {module: why for why, modules in _MODULES.items() for module in modules.split()}

_NAMES: dict[str, str] = {
    RUNS_CODE: "builtins.eval builtins.exec builtins.compile builtins.execfile builtins.breakpoint "
    "numpy.testing._private.utils.runstring numpy.testing.utils.runstring numpy.testing.runstring "
    "numpy.f2py.crackfortran.getlincoef numpy.f2py.crackfortran.myeval torch._dynamo.guards.GuardBuilder.get "
    "torch.jit.unsupported_tensor_ops.execWrapper torch.fx.experimental.symbolic_shapes.ShapeEnv "
    "torch.utils._config_module.ConfigModule.load_config sympy.parsing.sympy_parser.parse_expr "
    "sympy.core.sympify.sympify pandas.core.computation.eval.eval pandas.eval",
    LOADS_CODE: "builtins.__import__ builtins.reload torch.hub.load torch.hub.load_state_dict_from_url "
    "torch.ops.load_library torch.jit.load torch.utils.cpp_extension.load torch.package.PackageImporter "
    "transformers.dynamic_module_utils.get_class_from_dynamic_module numpy.distutils.exec_command "
    "tensorflow.load_op_library tensorflow.keras.models.load_model keras.models.load_model",
    LOADS_PICKLES: "numpy.load numpy.lib.npyio.load numpy.lib._npyio_impl.load torch.load "
    "torch.serialization.load joblib.load joblib.numpy_pickle.load pandas.read_pickle "
    "pandas.io.pickle.read_pickle torch.multiprocessing.reductions.rebuild_storage_filename",
    FILES: "builtins.open builtins.file builtins.input codecs.open numpy.memmap numpy.fromfile "
    "numpy.savetxt numpy.save torch.save joblib.dump torch.from_file",
    REACHES: "builtins.getattr builtins.setattr builtins.delattr builtins.globals builtins.locals "
    "builtins.vars builtins.apply functools.reduce builtins.__build_class__ builtins.map "
    "builtins.filter uuid._get_command_stdout",
}
DANGEROUS_NAMES = {name: why for why, names in _NAMES.items() for name in names.split()}

_PLAIN = (
    "builtins: bool bytearray bytes complex dict float frozenset int list object range set slice str tuple "
    "NoneType Ellipsis NotImplemented; "
    "collections: OrderedDict defaultdict Counter deque; "
    "_codecs: encode; copyreg: _reconstructor __newobj__ __newobj_ex__; "
    "datetime: date datetime time timedelta timezone; decimal: Decimal; fractions: Fraction; uuid: UUID; "
    "pathlib: PurePosixPath PureWindowsPath PurePath PosixPath WindowsPath Path; "
    "numpy: ndarray dtype bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 "
    "float64 complex64 complex128 str_ bytes_ void object_ datetime64 timedelta64; "
    "numpy.ma.core: _mareconstruct MaskedArray; "
    "numpy.random._pickle: __randomstate_ctor __bit_generator_ctor __generator_ctor; "
    "numpy.random._mt19937: MT19937; numpy.random._pcg64: PCG64 PCG64DXSM; numpy.random._philox: Philox; "
    "numpy.random._sfc64: SFC64; numpy.random.bit_generator: SeedSequence __pyx_unpickle_SeedSequence; "
    "torch: Tensor Size device dtype layout memory_format BFloat16Storage BoolStorage ByteStorage "
    "CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage "
    "LongStorage ShortStorage QInt8Storage QUInt8Storage QInt32Storage float float16 float32 float64 "
    "bfloat16 half double int int8 int16 int32 int64 long short uint8 uint16 uint32 uint64 bool "
    "complex64 complex128 qint8 quint8 qint32 "
    "float8_e4m3fn float8_e5m2 strided sparse_coo sparse_csr contiguous_format channels_last; "
    "torch.storage: TypedStorage UntypedStorage _TypedStorage _UntypedStorage; "
    "torch.nn.parameter: Parameter Buffer UninitializedParameter; torch.nn: Parameter; "
    "torch._tensor: _rebuild_from_type_v2; torch.serialization: _get_layout; "
    "torch._utils: _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter "
    "_rebuild_parameter_with_state _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_qtensor "
    "_rebuild_meta_tensor_no_storage _rebuild_device_tensor_from_numpy "
    "_rebuild_device_tensor_from_cpu_tensor _rebuild_nested_tensor _rebuild_wrapper_subclass; "
    "joblib.numpy_pickle: NumpyArrayWrapper; "
    "pandas.core.frame: DataFrame; pandas.core.series: Series; pandas: DataFrame Series; "
    "pandas.core.internals.managers: BlockManager SingleBlockManager; "
    "pandas._libs.internals: _unpickle_block BlockPlacement; "
    "pandas.core.indexes.base: _new_Index Index; pandas.core.indexes.range: RangeIndex; "
    "pandas._libs.arrays: __pyx_unpickle_NDArrayBacked; pandas.core.arrays.categorical: Categorical; "
    "pandas.core.dtypes.dtypes: CategoricalDtype; "
    "xgboost.sklearn: XGBClassifier XGBRegressor XGBRanker XGBModel; "
    "lightgbm.sklearn: LGBMClassifier LGBMRegressor LGBMRanker"
)
_NUMPY_CORE = "_reconstruct scalar _frombuffer"
HARMLESS = {
    f"{module.strip()}.{name}"
    for entry in _PLAIN.split(";")
    for module, _, names in [entry.partition(":")]
    for name in names.split()
} | {
    f"numpy.{core}.{module}.{name}"
    for core in ("core", "_core")
    for module in ("multiarray", "numeric")
    for name in _NUMPY_CORE.split()
}
_CLASSES = (
    re.compile(
        r"sklearn\.(?!externals\b|datasets\b|.*\b(?:tests|conftest|_testing|_mocking|estimator_checks)\b)[a-z_.\d]+",
        re.ASCII,
    ),
    re.compile(r"scipy\.sparse(?:\._?[a-z]+)?", re.ASCII),
    re.compile(r"torch\.nn\.modules\.[a-z_]+", re.ASCII),
    re.compile(r"torch\.optim\.[a-z_]+", re.ASCII),
)
"""Modules all of whose classes are harmless to build: constructors that store, states that are data."""
_CLASS = re.compile(r"_?_?[A-Z][A-Za-z0-9]*", re.ASCII)
_CYTHON = re.compile(
    r"__pyx_unpickle_\w+|newObj|c[so]r_matrix|cs[rc]_(?:matrix|array)|coo_(?:matrix|array)", re.ASCII
)
_OLD = {"__builtin__": "builtins", "__builtins__": "builtins", "copy_reg": "copyreg"}


def danger(module: str, name: str) -> str | None:
    """Why importing this name is dangerous; None where it is not known to be.

    Examples
    --------
    >>> danger("posix", "system")
    'runs commands of the operating system'
    >>> danger("collections", "OrderedDict") is None
    True
    """
    module = modern(module)
    parts = module.split(".")
    whole = f"{module}.{name}"
    if whole in HARMLESS:
        return None
    for length in range(len(parts), 0, -1):
        why = DANGEROUS_MODULES.get(".".join(parts[:length]))
        if why is not None:
            return why
    why = DANGEROUS_NAMES.get(whole)
    if why is not None:
        return why
    # A dotted name walks from object to object: whatever the first module has imported is within reach.
    steps = set(name.split("."))
    if len(steps) < 2 or not all(step.isidentifier() for step in steps):
        return None
    for step in steps & set(DANGEROUS_MODULES):
        return DANGEROUS_MODULES[step]
    if any(step.startswith("__") for step in steps):
        return REACHES
    return next((DANGEROUS_NAMES[f"builtins.{s}"] for s in steps if f"builtins.{s}" in DANGEROUS_NAMES), None)


def harmless(module: str, name: str, allowed: Collection[str] = ()) -> bool:
    """Whether a name is known to do no harm, or allowed by the user (``module.name`` or ``module.*``).

    Examples
    --------
    >>> harmless("sklearn.linear_model._logistic", "LogisticRegression")
    True
    >>> harmless("torch.serialization", "os.system")
    False
    """
    module = modern(module)
    whole = f"{module}.{name}"
    if whole in allowed or f"{module}.*" in allowed or whole in HARMLESS:
        return True
    if not any(pattern.fullmatch(module) for pattern in _CLASSES):
        return False
    return _CLASS.fullmatch(name) is not None or _CYTHON.fullmatch(name) is not None


def modern(module: str) -> str:
    """The name that a module of Python 2 has now."""
    return _OLD.get(module, module)


__all__ = ["DANGEROUS_MODULES", "DANGEROUS_NAMES", "HARMLESS", "danger", "harmless", "modern"]
