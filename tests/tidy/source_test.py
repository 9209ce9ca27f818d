"""How files are read, and what an allow comment permits."""

import unittest

import calls
from source import Source, Tokens, apply_allows


def rules_of(findings):
    return sorted({finding.rule for finding in findings})


class Reading(unittest.TestCase):
    def test_comments_and_literals_are_not_code(self):
        source = Source(
            "src/base/a.cpp", "int a; // sleep_for\nauto b = R\"x(sleep_for)x\"; /* rand( */\n"
        )
        self.assertNotIn("sleep_for", source.code)
        self.assertNotIn("rand", source.code)
        self.assertEqual(len(source.code), len(source.text))

    def test_digit_separators_are_no_character_literals(self):
        source = Source("src/base/a.cpp", "int a = 1'000'000; int b = 'x'; int rest;\n")
        self.assertIn("rest", source.code)
        self.assertIn("1'000'000", source.code)
        tokens = Tokens(
            Source("src/base/a.cpp", "int a = 4'000; int rest; char b = 'x'; int c = 5'000;")
        )
        self.assertIn("rest", tokens.text)
        self.assertEqual(tokens.text.count("int"), 3)

    def test_escaped_quotes_end_nothing(self):
        source = Source("src/base/a.cpp", 'auto a = "x\\"y"; auto c = \'\\\'\'; int rest;\n')
        self.assertIn("rest", source.code)
        self.assertNotIn("y", source.code)

    def test_lambdas_bodies_and_initialisers_are_told_apart(self):
        tokens = Tokens(
            Source(
                "src/net/a.cpp",
                "namespace a { struct B : C { int x{1}; };\n"
                "A::A(int x) : x_{x}, y_(2) { f([&](int) -> T<U> { return V{1}; }); }\n"
                "auto f() -> asio::awaitable<R<void>> { for (auto x : {1, 2}) { g(); } } }\n",
            )
        )
        braces = [i for i, token in enumerate(tokens.text) if token == "{"]
        kinds = [tokens.is_block(i) for i in braces]
        #            a     B     x{1}   x_{x}  A()   [&]   V{1}   f()   {1,2}  for
        expected = [True, True, False, False, True, True, False, True, False, True]
        self.assertEqual(kinds, expected)
        lambdas = [i for i in braces if tokens.lambda_of(i) is not None]
        self.assertEqual(lambdas, [braces[5]])

    def test_structured_bindings_subscripts_and_attributes_are_no_lambdas(self):
        tokens = Tokens(
            Source(
                "a.cpp",
                "[[nodiscard]] auto& [a, b] = c; auto [d] = e; f[1] = 2; g()[3]; h = [x] {};",
            )
        )
        found = [i for i in range(len(tokens.text)) if tokens.is_lambda_introducer(i)]
        self.assertEqual([tokens.text[i + 1] for i in found], ["x"])


class Allow(unittest.TestCase):
    def findings(self, code):
        source = Source("src/net/a.cpp", code)
        return list(apply_allows(source, calls.check(source), calls.RULES))

    def test_permits_with_a_reason_on_the_line_or_above(self):
        self.assertEqual(self.findings("rand();  // lmb-tidy: allow rand (a reason)\n"), [])
        self.assertEqual(self.findings("// lmb-tidy: allow rand (a reason)\nrand();\n"), [])

    def test_needs_a_reason(self):
        self.assertEqual(len(self.findings("rand();  // lmb-tidy: allow rand\n")), 2)

    def test_must_permit_something(self):
        self.assertEqual(
            rules_of(self.findings("// lmb-tidy: allow rand (a reason)\nint a;\n")), ["rand"]
        )

    def test_speaks_of_its_line_only(self):
        code = "rand();  // lmb-tidy: allow rand (a reason)\nrand();\n"
        self.assertEqual([finding.line for finding in self.findings(code)], [2])
