"""The module rules fail on what they forbid and pass what they allow."""

import unittest

import modules
from module_table import MODULES
from source import Source


def rules_of(findings):
    return sorted({finding.rule for finding in findings})


class Modules(unittest.TestCase):
    def rules(self, path, code, files=()):
        return rules_of(modules.check(Source(path, code), frozenset(files)))

    def test_the_table_has_no_cycle(self):
        done = set()

        def visit(name, way):
            self.assertNotIn(name, way)
            if name not in done:
                for other in MODULES[name].uses:
                    visit(other, (*way, name))
                done.add(name)

        for name in MODULES:
            visit(name, ())

    def test_a_module_uses_what_the_table_says(self):
        good = '#include "lmb/base/error.hpp"\n#include "lmb/protocol/head.hpp"\n'
        self.assertEqual(self.rules("src/http/a.cpp", good), [])
        self.assertEqual(self.rules("include/lmb/net/a.hpp", good), ["module_include"])
        self.assertEqual(
            self.rules("src/telemetry/a.cpp", '#include "lmb/proxy/session.hpp"\n'),
            ["module_include"],
        )
        self.assertEqual(
            self.rules("src/base/a.cpp", '#include "lmb/net/shard.hpp"\n'), ["module_include"]
        )

    def test_values_of_another_module_are_named_one_by_one(self):
        self.assertEqual(
            self.rules("src/proxy/a.cpp", '#include "lmb/scheduling/demand.hpp"\n'), []
        )
        self.assertEqual(
            self.rules("src/proxy/a.cpp", '#include "lmb/scheduling/scheduler.hpp"\n'),
            ["module_include"],
        )
        self.assertEqual(
            self.rules("src/config/a.cpp", '#include "lmb/proxy/relay.hpp"\n'), ["module_include"]
        )

    def test_programs_beside_the_bench_library_have_rules_of_their_own(self):
        code = '#include "lmb/scheduling/scheduler.hpp"\n'
        self.assertEqual(self.rules("bench/micro/a.cpp", code), [])
        self.assertEqual(self.rules("bench/peers/a.cpp", code), ["module_include"])
        self.assertEqual(self.rules("bench/load.cpp", code), ["module_include"])

    def test_unknown_modules_do_not_exist(self):
        self.assertEqual(self.rules("src/stuff/a.cpp", ""), ["module_include"])
        self.assertEqual(
            self.rules("src/app/a.cpp", '#include "lmb/stuff/a.hpp"\n'), ["module_include"]
        )

    def test_a_commented_include_is_none(self):
        self.assertEqual(self.rules("src/base/a.cpp", '// #include "lmb/net/shard.hpp"\n'), [])

    def test_pure_modules_see_no_threads_and_no_sockets(self):
        for header in (
            "thread",
            "mutex",
            "boost/asio/io_context.hpp",
            "spdlog/spdlog.h",
            "unistd.h",
        ):
            code = f"#include <{header}>\n"
            self.assertEqual(self.rules("src/scheduling/a.cpp", code), ["third_party"], header)
        self.assertEqual(self.rules("src/scheduling/a.cpp", "#include <vector>\n"), [])
        self.assertEqual(
            self.rules("src/protocol/a.cpp", "#include <boost/beast/http/fields.hpp>\n"), []
        )
        self.assertEqual(
            self.rules("src/protocol/a.cpp", "#include <boost/beast/http/read.hpp>\n"),
            ["third_party"],
        )

    def test_net_knows_no_http_and_the_data_path_no_nlohmann(self):
        self.assertEqual(
            self.rules("src/net/a.cpp", "#include <boost/beast/http/fields.hpp>\n"),
            ["third_party"],
        )
        self.assertEqual(
            self.rules("src/proxy/a.cpp", "#include <nlohmann/json.hpp>\n"), ["third_party"]
        )
        self.assertEqual(self.rules("src/config/a.cpp", "#include <nlohmann/json.hpp>\n"), [])

    def test_broad_and_heavy_headers(self):
        self.assertEqual(
            self.rules("tests/unit/a.cpp", "#include <boost/asio.hpp>\n"), ["broad_header"]
        )
        heavy = "#include <nlohmann/json.hpp>\n"
        self.assertEqual(self.rules("include/lmb/config/a.hpp", heavy), ["broad_header"])

    def test_private_headers_stay_in_their_module(self):
        files = ("src/net/a.cpp", "src/net/b.hpp", "src/proxy/c.hpp", "src/app/version.hpp.in")
        self.assertEqual(self.rules("src/net/a.cpp", '#include "b.hpp"\n', files), [])
        self.assertEqual(self.rules("src/app/a.cpp", '#include "version.hpp"\n', files), [])
        for header in ("c.hpp", "../proxy/c.hpp", "src/proxy/c.hpp"):
            code = f'#include "{header}"\n'
            self.assertEqual(self.rules("src/net/a.cpp", code, files), ["private_header"], header)
        self.assertEqual(
            self.rules("include/lmb/net/a.hpp", '#include "b.hpp"\n'), ["private_header"]
        )

    def test_the_own_header_comes_first(self):
        files = ("include/lmb/net/a.hpp", "src/net/a.cpp", "src/net/b.hpp", "src/net/b.cpp")
        good = '#include "lmb/net/a.hpp"\n#include <vector>\n'
        bad = '#include <vector>\n#include "lmb/net/a.hpp"\n'
        self.assertEqual(self.rules("src/net/a.cpp", good, files), [])
        self.assertEqual(self.rules("src/net/a.cpp", bad, files), ["own_header_first"])
        bench = ("bench/core/include/lmb/bench/load.hpp", "bench/core/load.cpp")
        own = '#include "lmb/bench/load.hpp"\n'
        self.assertEqual(self.rules("bench/core/load.cpp", own, bench), [])
        self.assertEqual(self.rules("bench/core/load.cpp", "", bench), ["own_header_first"])
        self.assertEqual(self.rules("src/net/b.cpp", '#include "b.hpp"\n', files), [])
        self.assertEqual(
            self.rules("src/net/b.cpp", "#include <vector>\n", files), ["own_header_first"]
        )

    def test_linux_stays_in_its_file_and_has_a_twin(self):
        linux = "#include <sys/epoll.h>\n"
        self.assertEqual(self.rules("src/net/a.cpp", linux), ["platform_twin"])
        both = ("src/net/a_linux.cpp", "src/net/a_macos.cpp")
        self.assertEqual(self.rules("src/net/a_linux.cpp", linux, both), [])
        self.assertEqual(self.rules("src/net/a_linux.cpp", linux, both[:1]), ["platform_twin"])

    def test_cmake_links_what_the_table_says(self):
        def links(path, text):
            return rules_of(modules.check_cmake(path, text))

        self.assertEqual(
            links(
                "src/net/CMakeLists.txt",
                "lmb_module(net SOURCES a.cpp USES lmb::base Boost::headers)",
            ),
            [],
        )
        for bad in (
            "lmb_module(net SOURCES a.cpp USES lmb::proxy)",
            "lmb_module(net SOURCES a.cpp PRIVATE_USES nlohmann_json::nlohmann_json)",
            "lmb_module(net SOURCES a.cpp USES lmb::clock_real)",
            "lmb_module(proxy SOURCES a.cpp)",
            "target_link_libraries(lmb_net PUBLIC lmb_scheduling)",
        ):
            self.assertEqual(links("src/net/CMakeLists.txt", bad), ["module_link"], bad)
        self.assertEqual(
            links("src/net/CMakeLists.txt", "# target_link_libraries(lmb_net lmb_proxy)"), []
        )
        program = "add_executable(lmb main.cpp)\ntarget_link_libraries(lmb lmb::clock_real)"
        self.assertEqual(links("src/app/CMakeLists.txt", program), [])
