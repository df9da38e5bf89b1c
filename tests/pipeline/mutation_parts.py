"""How a value is made, passed on and changed: one way a line, for random programs."""

from __future__ import annotations

PRELUDE = """
import array, bisect, collections, copy, dataclasses, functools, heapq, io, itertools, json
import math, operator, pickle, random, re, string, types
import numpy as np
import pandas as pd
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from types import SimpleNamespace

Pair = namedtuple("Pair", "a b")

class Box:
    def __init__(self, a):
        self.a = a

    def add(self, item):
        self.a.append(item)

@dataclasses.dataclass
class Row:
    a: list
    b: int = 0

class Kept(list):
    pass

def push(target):
    target.append(1)

def through(value):
    return value

def first_of(value):
    return value[0]

def boxed(value):
    def read():
        return value
    return read
"""

_MAKERS = r"""
[1, 2, 3]
[[1], [2]]
[{"a": [1]}, {"a": [2]}]
{"a": 1}
{"a": [1], "b": {"c": [2]}}
{0: [1]}
{1, 2}
([1], [2])
"b a".split()
"b,a".partition(",")
"b\na".splitlines()
list("ba")
sorted("ba")
re.findall("[a-z]", "ba")
re.split(",", "b,a")
json.loads('{"a": [1], "b": {"c": [2]}}')
json.loads("[[1], [2]]")
json.load(io.StringIO('{"a": [1]}'))
pickle.loads(pickle.dumps({"a": [1]}))
pickle.loads(pickle.dumps([[1], [2]]))
eval("[[1], [2]]")
copy.copy([[1], [2]])
copy.deepcopy([[1], [2]])
copy.deepcopy({"a": [1]})
copy.deepcopy(Box([1]))
dict(a=[1])
dict(zip("ab", ([1], [2])))
dict.fromkeys("ab", [])
list(zip([1], [2]))
[[] for _ in range(2)]
[[]] * 2
{k: [] for k in "ab"}
{k: {} for k in "ab"}
list(map(list, ("a", "b")))
list(range(3))
list({"a": 1}.items())
list(itertools.chain([[1]], [[2]]))
list(itertools.product("ab", [1]))
[list(group) for _, group in itertools.groupby("aab")]
defaultdict(list)
defaultdict(list, a=[1])
defaultdict(lambda: defaultdict(list))
Counter("aab")
OrderedDict(a=[1])
deque([1, 2])
deque([[1], [2]])
collections.ChainMap({"a": [1]}, {})
Pair([1], [2])
Pair([1], 2)._asdict()
SimpleNamespace(a=[1])
types.SimpleNamespace(a={"b": []})
Box([1])
Row([1])
dataclasses.asdict(Row([1]))
dataclasses.replace(Row([1]), b=2)
Kept([1, 2])
bytearray(b"abc")
array.array("i", [1, 2])
iter([1, 2, 3])
(i for i in range(3))
zip("ab", [1, 2])
enumerate("ab")
itertools.islice(itertools.count(), 9)
io.StringIO("a b")
random.Random(1)
random.Random(1).sample(range(9), 3)
np.random.default_rng(1)
np.random.RandomState(1)
np.arange(6.0)
np.zeros((2, 2))
np.array([[1, 2], [3, 4]]).tolist()
np.array([[1, 2], [3, 4]])
np.array([[1], [2, 3]], dtype=object)
np.split(np.arange(4), 2)
np.where(np.arange(3) > 1)
np.unique([1, 1, 2], return_counts=True)
np.meshgrid([1, 2], [3])
np.arange(4).reshape(2, 2)[0]
np.ma.masked_array([1, 2])
np.zeros(2, dtype=[("a", int)]).view(np.recarray)
np.zeros(2, dtype=[("a", int)])
pd.DataFrame({"a": [1, 2], "b": [3, 4]})
pd.DataFrame({"a": [[1], [2]]})
pd.DataFrame({"a": [1, 2]}).to_dict()
pd.DataFrame({"a": [1, 2]}).to_dict("list")
pd.DataFrame({"a": [1, 2]}).to_dict("records")
pd.DataFrame({"a": [1, 1], "b": [3, 4]}).groupby("a").groups
dict(list(pd.DataFrame({"a": [1, 1], "b": [3, 4]}).groupby("a")))
pd.Series([1, 2, 3])
pd.Series([3, 1], index=["a", "b"])
pd.Series([[1], [2]])
pd.Series([1, 2]).tolist()
list(pd.DataFrame({"a": [1], "b": [2]}).columns)
pd.DataFrame({"a": [1, 2]}).values
pd.date_range("2020-01-01", periods=3)
pd.concat([pd.Series([1]), pd.Series([2])])
functools.reduce(lambda a, b: a + [b], [1, 2], [])
max([[1], [2]])
min({"a": [1]}.values())
next(iter([[1], [2]]))
{"a": [1]}.get("a")
{"a": [1]}.setdefault("a", [])
{"a": {"b": [1]}}["a"]
operator.itemgetter(0)([[1], [2]])
getattr(Box([1]), "a")
vars(Box([1]))
Box([1]).__dict__
string.Template("$a").substitute(a="b").split()
os_like if (os_like := [1]) else None
[1] or [2]
[1] if math.pi else [2]
(lambda: [1, 2])()
through([1, 2])
first_of([[1], [2]])
boxed([1, 2])()
"""

_PASSERS = """
x
x[0]
x["a"]
x.a
x[:]
x[1:]
x.get("a")
list(x)
tuple(x)
dict(x)
set(x)
x.copy()
copy.copy(x)
copy.deepcopy(x)
sorted(x)
reversed(x)
iter(x)
[x]
[*x]
(x, 1)
{"k": x}
{**x}
{"k": [x]}
Box(x)
Row(x)
SimpleNamespace(a=x)
through(x)
boxed(x)()
boxed(x)
first_of(x)
max(x)
next(iter(x))
x.items()
x.values()
list(x.values())
list(x.items())
[i for i in x]
{i: x for i in range(1)}
list(zip(x, x))
list(enumerate(x))
list(map(through, x))
list(filter(None, x))
itertools.chain(x, x)
functools.partial(push, x)
(lambda: x)
(lambda v=x: v)
x or [0]
x if x is not None else [0]
(z := x)
x + []
x * 1
x | {}
np.asarray(x)
np.array(x)
np.ravel(x)
np.reshape(x, -1)
np.transpose(x)
np.atleast_2d(x)
np.broadcast_to(x, (3, 2))
x.T
x.flat
x.ravel()
x.reshape(-1)
x.view()
x.astype(float)
x.astype(float, copy=False)
x.data
x.real
x.iloc[0]
x.iloc[:1]
x.loc[0]
x.values
x.to_numpy()
x.index
x["a"].values
x.head(1)
x.to_frame()
x.apply(through)
x.map(through)
x.tolist()
x.to_dict()
pd.DataFrame(x)
pd.DataFrame(x, copy=False)
pd.Series(x)
pd.Series(x).values
x.groupby("a")
x.maps[0]
x._asdict()
vars(x)
x.__dict__
x.append
x.add
x.update
operator.attrgetter("a")(x)
operator.itemgetter(0)(x)
functools.reduce(lambda a, b: a, x)
weak_like(x) if (weak_like := through) else 0
memoryview(x)
deque(x)
deque([x])
defaultdict(list, k=x)
collections.ChainMap(x)
collections.UserList(x)
types.MappingProxyType(x)
Kept(x)
heapq.nsmallest(1, x)
random.choice(x)
random.sample(x, 1)
operator.methodcaller("append", 1)
x.bit_generator
x.getvalue
"""

_CHANGERS = r"""
y.append(1)
y.extend([7, 8])
y.insert(0, 7)
y.pop()
y.popitem()
y.popleft()
y.remove(y[0])
y.clear()
y.sort()
y.reverse()
y.update(q=1)
y.update([9])
y.setdefault("q", [])
y.add(9)
y.rotate(1)
y.write("zz")
y.read()
y.random()
y.shuffle([1, 2, 3])
y.subtract("a")
y[0] = 9
y["a"] = 9
y["new"] = [1]
y[0, 0] = 9
y[:] = 0
y[0] += 1
y["a"] += 1
y["a"] += [1]
y.a = 9
y.a += [1]
y.a.append(1)
y.a["b"].append(1)
y += [1]
y += 1
y |= {"q": 1}
y |= {9}
y *= 2
del y[0]
del y["a"]
del y.a
y[0].append(1)
y["a"].append(1)
y["a"].add(1)
y["b"]["c"].append(1)
y[0]["a"].append(1)
y["q"].append(1)
y["q"]["r"].append(1)
y["a"][0] = 9
y[0][0] = 9
y["k"].append(1)
y["k"][0] = 9
y["k"][0].append(1)
y["k"]["a"] = 9
y.get("a").append(1)
y.setdefault("a", []).append(1)
y.setdefault("q", []).append(1)
y[-1].update(q=1)
y[0].clear()
y()
y().append(1)
y(5)
next(y)
list(y)
sum(y)
for item in y: item.append(1)
for item in y: item["a"] = 1
for i, item in enumerate(y): y[i] = 0
for key in y: y[key] = 0
for key in list(y): y[key].append(1)
for key, item in y.items(): item.append(1)
for item in y.values(): item.append(1)
first, *rest = y; first.append(1)
first, second = y; second.append(1)
(first, second) = y, y; second.append(1)
inner = y[0]; inner.append(1)
inner = y["a"]; inner.append(1)
inner = y.a; inner.append(1)
method = y.append; method(1)
getattr(y, "append")(1)
setattr(y, "a", 9)
delattr(y, "a")
y.__setitem__(0, 9)
y.__setitem__("a", 9)
y.__delitem__(0)
y.__iadd__([1])
y.__dict__["a"] = 9
vars(y)["a"] = 9
y.__setattr__("a", 9)
y.__init__([5])
list.append(y, 1)
dict.update(y, q=1)
set.add(y, 9)
Box.add(y, 3)
y.add(3)
push(y)
push(y[0])
push(y.a)
push(target=y)
push(*[y])
push(**{"target": y})
list(map(push, [y]))
list(map(push, y))
list(map(y.append, [1]))
[y.append(i) for i in range(2)]
any(y.append(i) for i in range(2))
{y.append(i) for i in range(2)}
[push(item) for item in y]
functools.partial(push, y)()
functools.reduce(lambda a, b: a.append(b) or a, [1], y)
sorted([1], key=lambda i: y.append(i) or 0)
operator.setitem(y, 0, 9)
operator.iadd(y, [1])
operator.methodcaller("append", 1)(y)
heapq.heappush(y, 1)
heapq.heapify(y)
bisect.insort(y, 1)
random.shuffle(y)
(lambda v: v.append(1))(y)
(y if True else None).append(1)
(y or [1]).append(1)
[y][0].append(1)
{"k": y}["k"].append(1)
Box(y).a.append(1)
Box(y).add(1)
Row(y).a.append(1)
SimpleNamespace(v=y).v.append(1)
through(y).append(1)
boxed(y)().append(1)
(z := y).append(1)
exec("y.append(1)")
eval("y.append(1)")
with contextlib_like(y) as v: v.append(1)
try: y.append(1); raise KeyError\nexcept KeyError: pass
while not y.append(1): break
if y.append(1) is None: pass
match y:\n    case [inner, *_]: inner.append(1)
match y:\n    case {"a": inner}: inner.append(1)
match y:\n    case Box(a=inner): inner.append(1)
y.fill(0)
y.sort(axis=0)
y.resize(1, refcheck=False)
y.put([0], 9)
y.partition(1)
y.itemset(0, 9)
y.setflags(write=False)
y.flat[0] = 9
y.T[0] = 9
y[y > 0] = 9
y[::2] = 9
y["a"][:] = 0
y[0].fill(0)
y.shape = -1
y.real[0] = 9
y.ravel()[0] = 9
y.reshape(-1)[0] = 9
y.view()[0] = 9
np.add(y, 1, out=y)
np.copyto(y, 0)
np.put(y, [0], 9)
np.fill_diagonal(y, 9)
np.random.shuffle(y)
np.random.default_rng(0).shuffle(y)
np.place(y, y > 0, 9)
np.putmask(y, y > 0, 9)
np.asarray(y)[0] = 9
y.mask[0] = True
y.loc[0] = 9
y.loc[0, "a"] = 9
y.loc[:, "new"] = 9
y.iloc[0] = 9
y.iloc[0, 0] = 9
y.at[0, "a"] = 9
y.iat[0, 0] = 9
y["new"] = y["a"] * 2
y.a = y.a + 1
y[["a"]] = 9
y.columns = ["p", "q"]
y.index = [7, 8]
y.index.name = "n"
y.name = "n"
y.attrs["k"] = 1
y.insert(0, "n", 1)
y.pop("a")
y.drop(columns="a", inplace=True)
y.drop(0, inplace=True)
y.fillna(0, inplace=True)
y.rename(columns={"a": "z"}, inplace=True)
y.sort_values("a", ascending=False, inplace=True)
y.sort_values(inplace=True)
y.sort_index(ascending=False, inplace=True)
y.reset_index(inplace=True)
y.set_index("a", inplace=True)
y.update(pd.DataFrame({"a": [9, 9]}))
y.eval("c = a * 2", inplace=True)
y.replace(1, 9, inplace=True)
y.clip(upper=1, inplace=True)
y.mask(y > 1, inplace=True)
y.where(y > 1, inplace=True)
y.values[0] = 9
y.values[0, 0] = 9
y.to_numpy()[0] = 9
y.iloc[0].append(1)
y.loc[0, "a"].append(1)
y.at[0, "a"].append(1)
y["a"].iloc[0].append(1)
y["a"][0].append(1)
y["a"].values[0].append(1)
for item in y["a"]: item.append(1)
y["a"].apply(push)
y["a"].map(push)
y.apply(push)
y.apply(lambda row: row.append(1))
for _, row in y.iterrows(): row["a"] = 9
for row in y.itertuples(): row.a.append(1)
for key, part in y: part["b"] = 0
y.bit_generator.advance(1)
y.seed(3)
y.setstate(random.Random(3).getstate())
"""


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


MAKERS, PASSERS = _lines(_MAKERS), _lines(_PASSERS)
CHANGERS = [line.replace("\\n", "\n") for line in _lines(_CHANGERS)]
