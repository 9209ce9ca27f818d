"""The co_await rules fail on what g++ 12 miscompiles and pass what it does not."""

import unittest

import coroutines
from source import Source


class Coroutines(unittest.TestCase):
    # The cases of the measured table of g++ 12 faults, and neighbours that compile rightly.
    BAD = (
        "co_await f(Agg{1});",
        "co_await f({.a = 1});",
        "co_await Holder{}.run();",
        "co_await f([s] { return s; });",
        "co_await [p = std::move(p)]() -> asio::awaitable<void> { co_return; }();",
        "co_spawn(co_await this_coro::executor, [s]() -> awaitable<void> { co_return; }, token);",
        "auto x = b ? to_string(co_await f()) : string();",
        "co_await f(b ? s : string());",
        "Agg a{.p = make_unique<int>(co_await f())};",
        "std::vector<string> v{co_await f()};",
        "return_value = Agg{co_await f()};",
        "auto [ec, n] = co_await f(asio::buffer(Span{a, b}));",
        "if (auto r = co_await f(Agg{1}); r) { g(); }",
        "while (!(co_await f(x ? 1 : 2)).done) { g(); }",
        "if (x) co_await f(Agg{1});",
        "use(co_await f(), co_await g());",
        "co_await f(Counted(1));",
        "co_return co_await f(std::vector<int>{1});",
        "x->y = Agg{co_await f()};",
        "co_spawn(ex, [s] { s->go(); }, co_await token());",
        "connect(Agg{1}, co_await f());",
        "if (co_await f()) g();",
        "if (!co_await f()) co_return;",
        "if (x; (co_await f()).ok) { g(); }",
        "if (a == co_await f()) { g(); }",
        "if (y) { g(); } else if (co_await f()) { g(); }",
        "switch (co_await f()) { case 1: break; }",
    )
    GOOD = (
        "Agg a{1}; co_await f(std::move(a));",
        "auto x = co_await f();",
        "auto [ec, n] = co_await op(asio::as_tuple(asio::use_awaitable));",
        "if (auto r = co_await f(); r) { Agg a{1}; }",
        "if (a ? b : c) co_await f();",
        "if (auto r = co_await f()) { x = b ? 1 : 2; } else co_await g();",
        "if (bool ok = co_await f(); !ok) co_return;",
        "switch (auto r = co_await f(); r) { case 1: co_await g(); break; default: x = T{1}; }",
        "while (co_await f()) { x = T{1}; }",
        "if (x) { co_await f(); }",
        "if (x) co_await f();",
        "auto n = (co_await f()).member;",
        "co_return b ? Agg{1} : Agg{2};",
        "co_await (a() || b());",
        "auto run = [s]() -> asio::awaitable<void> { co_await s->go(); };"
        " co_spawn(ex, std::move(run), t);",
        "co_await f([](int x) { return T{x}; });",
        "EXPECT_EQ(co_await f(), 3);",
        "for (auto& part : parts) { co_await send(part); } Agg a{1};",
        "try { co_await f(); } catch (const std::exception& e) { x = b ? 1 : 2; }",
        "[[maybe_unused]] auto got = co_await f(a[1]);",
        "auto text = x ? 1 : 2; co_await f(text); auto more = T{2};",
    )
    TYPES = "struct Counted { int n; std::string s; };\n"

    def problems(self, statements):
        code = (
            self.TYPES
            + "namespace a { asio::awaitable<void> run(int x) noexcept {\n  %s\n} }\n"
            % statements
        )
        source = Source("src/net/a.cpp", code)
        return list(coroutines.check(source, coroutines.aggregate_names([source])))

    def test_statements_that_gcc_12_miscompiles_are_found(self):
        for statement in self.BAD:
            self.assertTrue(self.problems(statement), statement)

    def test_right_statements_pass(self):
        for statement in self.GOOD:
            self.assertEqual(self.problems(statement), [], statement)

    def test_an_await_inside_braces_is_named_so(self):
        found = self.problems("Agg a{.p = make(co_await f())};")
        self.assertIn("inside braces", found[0].message)
        self.assertNotIn("inside braces", self.problems("co_await f(Agg{1});")[0].message)

    def test_a_trailing_return_type_is_a_body(self):
        code = "auto run() -> asio::awaitable<Result<void>> {\n  co_await f();\n}\n"
        self.assertEqual(list(coroutines.check(Source("src/net/a.cpp", code))), [])

    def test_the_line_is_that_of_the_await(self):
        found = self.problems("int a;\n\n  co_await f(\n      Agg{1});")
        self.assertEqual([finding.line for finding in found], [5])

    def test_only_structs_without_constructors_are_aggregates(self):
        code = """
          struct Plain { int a = 0; };  struct Made { explicit Made(int); int a; };
          struct Hidden { int f(); private: int a; };  struct Tag;  struct Empty {};
          class Closed { int a; };  struct Final final { int b; };
        """
        self.assertEqual(coroutines.aggregate_names([Source("a.hpp", code)]), {"Plain", "Final"})
