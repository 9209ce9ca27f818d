"""Which module may use what: the table of docs/architecture.md as data.

A module not named here does not exist. Change this table only together with that page.
"""

import dataclasses

ANY = ("",)  # every header begins with the empty prefix


@dataclasses.dataclass(frozen=True)
class Rules:
    """What one module may use.

    uses: modules whose headers it may include and which it may link.
    values: single headers of other modules that hold plain values ("scheduling/options.hpp").
    third_party: prefixes of third-party (or single system) headers, as written between < and >.
    never: prefixes taken out of third_party again.
    system: true when operating system headers (<unistd.h>) are allowed.
    std_never: standard headers it must do without.
    links: third-party CMake targets.
    """

    uses: tuple = ()
    values: tuple = ()
    third_party: tuple = ()
    never: tuple = ()
    system: bool = False
    std_never: tuple = ()
    links: tuple = ()


# A pure module decides; it does no input or output and knows no threads.
IMPURE_STD = (
    "thread",
    "mutex",
    "shared_mutex",
    "condition_variable",
    "atomic",
    "future",
    "semaphore",
    "latch",
    "barrier",
    "stop_token",
    "iostream",
    "fstream",
    "filesystem",
    "cstdio",
    "csignal",
    "ctime",
)
WAITING_STD = ("condition_variable", "future", "semaphore", "latch", "barrier")
BOOST = ("boost/asio/", "boost/system/", "boost/core/", "boost/container/", "boost/intrusive/")

MODULES = {
    "base": Rules(
        third_party=("boost/system/",),
        links=("Boost::headers",),
    ),
    "protocol": Rules(
        uses=("base",),
        third_party=(
            "boost/beast/http/",
            "boost/beast/core/",
            "boost/asio/buffer.hpp",
            "boost/system/",
            "boost/core/",
            "boost/none.hpp",
            "boost/optional",
            "simdjson.h",
            "zlib.h",
        ),
        never=(
            "boost/beast/http/read.hpp",
            "boost/beast/http/write.hpp",
            "boost/beast/core/tcp_stream.hpp",
            "boost/beast/core/basic_stream.hpp",
            "boost/beast/core/file",
        ),
        std_never=IMPURE_STD,
        links=("Boost::headers", "simdjson::simdjson", "ZLIB::ZLIB"),
    ),
    "scheduling": Rules(
        uses=("base",),
        third_party=("boost/system/", "boost/container/", "boost/intrusive/", "boost/core/"),
        std_never=IMPURE_STD,
        links=("Boost::headers",),
    ),
    "telemetry": Rules(
        uses=("base",),
        third_party=("spdlog/", "fmt/", "prometheus/", "boost/system/"),
        system=True,
        links=(
            "spdlog::spdlog",
            "fmt::fmt",
            "prometheus-cpp::core",
            "Threads::Threads",
            "Boost::headers",
        ),
    ),
    "net": Rules(
        uses=("base", "telemetry"),
        third_party=BOOST,
        system=True,
        links=("Boost::headers", "Threads::Threads"),
    ),
    "http": Rules(
        uses=("base", "net", "protocol"),
        third_party=BOOST + ("boost/beast/",),
        std_never=WAITING_STD,
        links=(
            "Boost::headers",
            "Threads::Threads",
        ),
    ),
    "dispatch": Rules(
        uses=("base", "scheduling", "net", "telemetry"),
        third_party=BOOST,
        std_never=WAITING_STD,
        links=("Boost::headers", "Threads::Threads"),
    ),
    "upstream": Rules(
        uses=("base", "net", "http", "protocol", "telemetry"),
        values=("scheduling/options.hpp",),
        third_party=BOOST + ("boost/beast/",),
        system=True,
        std_never=WAITING_STD,
        links=(
            "Boost::headers",
            "Threads::Threads",
        ),
    ),
    "proxy": Rules(
        uses=("base", "upstream", "dispatch", "net", "protocol", "telemetry"),
        values=(
            "scheduling/demand.hpp",
            "scheduling/nearest_names.hpp",
            "scheduling/options.hpp",
            "scheduling/retry.hpp",
        ),
        third_party=BOOST + ("boost/beast/", "openssl/"),
        std_never=WAITING_STD,
        links=(
            "Boost::headers",
            "OpenSSL::Crypto",
            "Threads::Threads",
        ),
    ),
    "otlp": Rules(
        uses=("base", "telemetry", "http"),
        third_party=BOOST + ("boost/beast/",),
        links=(
            "Boost::headers",
            "Threads::Threads",
        ),
    ),
    "admin": Rules(
        uses=("base", "dispatch", "telemetry", "config", "http", "net"),
        values=("protocol/model_list.hpp",),
        third_party=BOOST + ("boost/beast/", "nlohmann/", "prometheus/"),
        links=(
            "Boost::headers",
            "Threads::Threads",
            "nlohmann_json::nlohmann_json",
            "prometheus-cpp::core",
        ),
    ),
    "config": Rules(
        uses=("base",),
        values=(
            "protocol/options.hpp",
            "protocol/head.hpp",  # the limits of a head stand beside its parser
            "scheduling/options.hpp",
            "telemetry/options.hpp",
            "net/network.hpp",
            "net/options.hpp",
            "http/options.hpp",
            "dispatch/options.hpp",
            "upstream/options.hpp",
            "proxy/options.hpp",
            "otlp/options.hpp",
            "admin/options.hpp",
            "app/options.hpp",
        ),
        third_party=("nlohmann/", "boost/system/", "arpa/inet.h", "sys/socket.h"),  # inet_pton
        std_never=WAITING_STD + ("thread", "mutex"),
        links=("nlohmann_json::nlohmann_json", "Boost::headers"),
    ),
    "sim": Rules(
        uses=("base", "net", "http", "protocol"),
        third_party=BOOST + ("boost/beast/", "nlohmann/"),
        links=("Boost::headers", "Threads::Threads", "nlohmann_json::nlohmann_json"),
    ),
    "app": Rules(
        uses=(
            "base",
            "protocol",
            "scheduling",
            "telemetry",
            "net",
            "http",
            "dispatch",
            "upstream",
            "proxy",
            "otlp",
            "admin",
            "config",
            "sim",
            "bench",
        ),
        third_party=ANY,
        system=True,
        links=ANY,
    ),
    "bench/micro": Rules(  # measures single parts of any module
        uses=(
            "base",
            "protocol",
            "scheduling",
            "telemetry",
            "net",
            "http",
            "dispatch",
            "upstream",
            "proxy",
            "config",
            "sim",
            "bench",
        ),
        third_party=ANY,
        system=True,
        links=ANY,
    ),
    "bench/peers": Rules(
        third_party=ANY, system=True, links=ANY
    ),  # owes nothing to what it measures
    "bench": Rules(
        uses=("base", "net", "http", "protocol", "sim"),
        third_party=ANY,
        system=True,
        links=ANY,
    ),
}

# Modules that a request's bytes pass through: no nlohmann/json, 50 times as slow as simdjson.
DATA_PATH = ("protocol", "scheduling", "net", "dispatch", "upstream", "proxy")
# Modules that decide: time is an argument.
PURE = ("protocol", "scheduling")

# Headers nobody includes, with what to include instead.
BROAD_HEADERS = {
    "boost/asio.hpp": "the narrow <boost/asio/...> headers",
    "boost/beast.hpp": "the narrow <boost/beast/...> headers",
    "boost/beast/core.hpp": "the narrow <boost/beast/core/...> headers",
    "boost/beast/http.hpp": "the narrow <boost/beast/http/...> headers",
    "bits/stdc++.h": "the standard headers by name",
    "regex": "a hand-written scanner: std::regex is slow and recurses without bound",
}
# Costly headers that must not reach others through include/lmb/.
HEAVY_IN_PUBLIC_HEADERS = {
    "nlohmann/json.hpp": "<nlohmann/json_fwd.hpp>, and json.hpp in the .cpp",
    "spdlog/": "a log function of telemetry declared without spdlog's types",
}
LINUX_ONLY = (
    "linux/",
    "sys/epoll.h",
    "sys/eventfd.h",
    "sys/timerfd.h",
    "sys/signalfd.h",
    "sys/prctl.h",
    "sys/sendfile.h",
    "sys/inotify.h",
    "endian.h",
    "malloc.h",
)
