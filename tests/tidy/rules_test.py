"""Calls, limits, names, text and format: each fails on what it forbids, passes what it allows."""

import pathlib
import tempfile
import unittest

import calls
import formatting
import limits
import names
import text
from source import Source


def rules_of(findings):
    return sorted({finding.rule for finding in findings})


class Calls(unittest.TestCase):
    BAD = {
        "real_clock": [
            "auto t = std::chrono::steady_clock::now();",
            "auto t = std::time(nullptr);",
        ],
        "sleep": ["std::this_thread::sleep_for(1s);", "::sleep(1);", "usleep(5);"],
        "detached": ["co_spawn(ex, f(), asio::detached);"],
        "stdout": ["std::cout << 1;", 'printf("x");', 'std::puts("x");'],
        "rand": ["int a = rand();", "std::srand(1);"],
        "unseeded_random": ["std::random_device seed;"],
        "std_regex": ["std::regex pattern;"],
        "json_on_data_path": ["nlohmann::json body;"],
        "atomic_shared_ptr": ["std::atomic<std::shared_ptr<int>> a;"],
        "assert_macro": ["assert(x > 1);"],
    }
    GOOD = """
      TimePoint now = Clock::now(); LMB_ASSERT(x); static_assert(true); std::fprintf(stderr, "x");
      timer.sleep_until_tick; operand(1); strand(2); // std::cout << rand();
    """

    def test_each_banned_call_is_found(self):
        for rule, snippets in self.BAD.items():
            for snippet in snippets:
                found = rules_of(calls.check(Source("src/proxy/a.cpp", snippet + "\n")))
                self.assertEqual(found, [rule], snippet)
        self.assertEqual(
            set(self.BAD) | {"clock_in_pure_module", "using_namespace", "pragma_once"},
            calls.RULES,
        )

    def test_harmless_neighbours_pass(self):
        self.assertEqual(list(calls.check(Source("src/proxy/a.cpp", self.GOOD))), [])

    def test_places_where_a_call_is_allowed(self):
        for path, code in (
            ("src/base/clock_real.cpp", "std::chrono::steady_clock::now();"),
            ("tests/integration/a_test.cpp", "std::chrono::steady_clock::now();"),
            ("src/net/session_group.cpp", "asio::detached"),
            ("src/app/main.cpp", "std::cout << 1; std::random_device seed;"),
            ("src/config/parse.cpp", "nlohmann::json body;"),
            ("tests/unit/net/a_test.cpp", "std::regex pattern;"),
            ("tests/unit/net/a.hpp", "#pragma once\nusing namespace std::chrono_literals;"),
        ):
            self.assertEqual(list(calls.check(Source(path, code))), [], path)

    def test_unit_tests_and_simulations_have_no_real_clock(self):
        for path in ("tests/unit/net/a_test.cpp", "tests/sim/a.cpp"):
            found = calls.check(Source(path, "std::chrono::steady_clock::now();"))
            self.assertEqual(rules_of(found), ["real_clock"], path)

    def test_pure_modules_are_told_the_time(self):
        code = "f(Clock::now());"
        self.assertEqual(
            rules_of(calls.check(Source("src/scheduling/a.cpp", code))), ["clock_in_pure_module"]
        )
        self.assertEqual(list(calls.check(Source("src/proxy/a.cpp", code))), [])

    def test_headers(self):
        header = Source("include/lmb/net/a.hpp", "using namespace std;\n")
        self.assertEqual(rules_of(calls.check(header)), ["pragma_once", "using_namespace"])
        self.assertEqual(list(calls.check(Source("include/lmb/net/a.hpp", "#pragma once\n"))), [])


class Limits(unittest.TestCase):
    def rules(self, path, code):
        return rules_of(limits.check(Source(path, code)))

    def test_files(self):
        self.assertEqual(self.rules("src/net/a.cpp", "\n" * 400), [])
        self.assertEqual(self.rules("src/net/a.cpp", "\n" * 401), ["long_file"])
        self.assertEqual(self.rules("src/net/a.hpp", "\n" * 201), ["long_file"])

    def function(self, lines, head="Result<int> Type::run(int a, std::map<int, int> b) const"):
        return "namespace a {\n" + head + " {\n" + "  f();\n" * (lines - 2) + "}\n}\n"

    def test_functions(self):
        heads = (
            "void run()",
            "Result<int> Type::run(int a, std::map<int, int> b) const",
            "Type::Type(int a) : a_(a), b_{1, 2}",
            "auto run(int a) -> asio::awaitable<void>",
            "TEST(Queue, refuses_when_full)",
            "bool operator()(int a) const noexcept",
        )
        for head in heads:
            self.assertEqual(self.rules("src/net/a.cpp", self.function(70, head)), [], head)
            self.assertEqual(
                self.rules("src/net/a.cpp", self.function(71, head)), ["long_function"], head
            )

    def test_long_classes_namespaces_and_tables_are_no_functions(self):
        body = "  int a;\n" * 90
        self.assertEqual(
            self.rules("src/net/a.cpp", "class A final : public B {\n" + body + "};\n"), []
        )
        table = "  {1, 2},\n" * 90
        self.assertEqual(
            self.rules("src/net/a.cpp", "constexpr Row rows[] = {\n" + table + "};\n"), []
        )

    def test_a_member_function_counts_for_itself(self):
        code = (
            "class A {\n"
            + self.function(60, "void f()")[14:-2]
            + self.function(60, "void g()")[14:-2]
            + "};\n"
        )
        self.assertEqual(self.rules("src/net/a.cpp", code), [])

    def test_parameters(self):
        five = "void f(int a, std::map<int, int> b, int c = g(1, 2), int d, int e) {}\n"
        self.assertEqual(self.rules("src/net/a.cpp", five), [])
        self.assertEqual(
            self.rules("src/net/a.cpp", five.replace("int e", "int e, int f")),
            ["many_parameters"],
        )

    def test_the_name_is_told(self):
        found = next(limits.check(Source("src/net/a.cpp", self.function(80))))
        self.assertIn("Type::run", found.message)
        self.assertEqual(found.line, 2)


class Names(unittest.TestCase):
    def test_empty_words_in_paths_and_types(self):
        self.assertEqual(rules_of(names.check_path("src/net/string_util.hpp")), ["empty_name"])
        self.assertEqual(rules_of(names.check_path("src/common/a.hpp")), ["empty_name"])
        self.assertEqual(rules_of(names.check_path("src/net/backend.hpp")), ["glossary"])
        self.assertEqual(rules_of(names.check_path("src/upstream/connection_pool.cpp")), [])
        for code in (
            "class PoolManager {};",
            "struct Impl;",
            "using JsonHelper = int;",
            "namespace misc {}",
            "enum class CommonKind {};",
        ):
            self.assertEqual(
                rules_of(names.check(Source("src/net/a.cpp", code))), ["empty_name"], code
            )

    def test_glossary_words_everywhere(self):
        self.assertEqual(
            rules_of(
                names.check(Source("src/net/a.cpp", "int backend_count; auto x = downstream;"))
            ),
            ["glossary"],
        )

    def test_words_inside_words_and_uses_of_foreign_names_pass(self):
        code = "struct Simple; class Implicit; int utilisation; // backend\n"
        code += "auto x = boost::common_type<int>();\n"
        self.assertEqual(list(names.check(Source("src/net/a.cpp", code))), [])


class Text(unittest.TestCase):
    def rules(self, content, path="src/net/a.cpp"):
        return rules_of(text.check(path, content))

    def test_each_rule(self):
        self.assertEqual(self.rules("int a;\n"), [])
        self.assertEqual(self.rules("\tint a;\n"), ["tab"])
        self.assertEqual(self.rules("int a; \n"), ["trailing_blank"])
        self.assertEqual(self.rules("int a;\r\n"), ["carriage_return", "trailing_blank"])
        self.assertEqual(self.rules("int a;"), ["final_newline"])
        self.assertEqual(self.rules("x" * 100 + "\n"), [])
        self.assertEqual(self.rules("x" * 101 + "\n"), ["long_line"])
        self.assertEqual(self.rules("// FIX" "ME\n"), ["open_mark"])
        self.assertEqual(self.rules("// TO" "DO later\n"), ["open_mark"])
        self.assertEqual(self.rules("// TO" "DO(anna, #12): later\n"), [])

    def test_prose_may_have_long_lines(self):
        self.assertEqual(self.rules("x" * 200 + "\n", "docs/a.md"), [])


@unittest.skipIf(formatting.program() is None, formatting.NEEDED + " is not here")
class Formatting(unittest.TestCase):
    def test_a_badly_formatted_file_is_found_and_a_good_one_is_not(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / ".clang-format").write_text("BasedOnStyle: Google\n")
            (root / "good.cpp").write_text("int f() { return 1; }\n")
            (root / "bad.cpp").write_text("int g(  ) {return 1;}\n")
            found = list(formatting.check(root, ["good.cpp", "bad.cpp"]))
        self.assertEqual(
            [(finding.path, finding.rule) for finding in found], [("bad.cpp", "format")]
        )
