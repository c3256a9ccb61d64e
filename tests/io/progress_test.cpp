// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/progress.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace {
/// A screen in memory and a clock that a test sets.
struct fake_screen {
    std::vector<std::string> writes;
    duration time{};
    bool is_terminal = true;
};
struct fake_terminal {
    fake_screen* screen;
    [[nodiscard]] bool shown() const { return screen->is_terminal; }
    [[nodiscard]] duration now() const { return screen->time; }
    void write(std::string_view bytes) const { screen->writes.emplace_back(bytes); }
};
std::string const gone = "\r\x1b[K";
}  // namespace

TEST_CASE("progress shows label, bar, percent and rate", "[io][progress]") {
    fake_screen screen;
    progress bar{"lines.csv", 200'000, "B", 100_ms, fake_terminal{&screen}};
    screen.time = 2_s;
    bar.update(90'000);
    REQUIRE(screen.writes.size() == 1);
    CHECK(screen.writes[0] == "\rlines.csv  [#########...........]  45 %  45.0 kB/s\x1b[K");
}

TEST_CASE("progress draws at most once per interval, and exactly on it", "[io][progress]") {
    fake_screen screen;
    screen.time = 7_s;
    progress bar{"x", 100, "B", 100_ms, fake_terminal{&screen}};
    bar.update(0);
    screen.time = screen.time + 100_ms - 1_ns;
    bar.update(1);
    CHECK(screen.writes.empty());
    screen.time = screen.time + 1_ns;
    bar.update(2);
    CHECK(screen.writes.size() == 1);
    bar.update(3);
    screen.time = screen.time + 100_ms - 1_ns;
    bar.update(4);
    CHECK(screen.writes.size() == 1);
    screen.time = screen.time + 1_ns;
    bar.update(5);
    CHECK(screen.writes.size() == 2);
}

TEST_CASE("progress erases itself at the end, once, and then stays silent", "[io][progress]") {
    fake_screen screen;
    {
        progress bar{"x", 100, "B", 100_ms, fake_terminal{&screen}};
        screen.time = 1_s;
        bar.update(50);
        bar.finish();
        REQUIRE(screen.writes.size() == 2);
        CHECK(screen.writes[1] == gone);
        screen.time = 2_s;
        bar.update(60);
        bar.finish();
    }
    CHECK(screen.writes.size() == 2);
    {
        progress bar{"x", 100, "B", 100_ms, fake_terminal{&screen}};
        screen.time = 3_s;
        bar.update(50);
    }
    REQUIRE(screen.writes.size() == 4);
    CHECK(screen.writes[3] == gone);
}

TEST_CASE("progress makes room for other output and comes back", "[io][progress]") {
    fake_screen screen;
    progress bar{"x", 100, "B", 100_ms, fake_terminal{&screen}};
    bar.erase();
    CHECK(screen.writes.empty());
    screen.time = 1_s;
    bar.update(50);
    bar.erase();
    bar.erase();
    REQUIRE(screen.writes.size() == 2);
    CHECK(screen.writes[1] == gone);
    screen.time = 2_s;
    bar.update(51);
    CHECK(screen.writes.size() == 3);
}

TEST_CASE("progress writes nothing for short work or without a terminal", "[io][progress]") {
    fake_screen screen;
    {
        progress bar{"x", 100, "B", 100_ms, fake_terminal{&screen}};
        bar.update(100);
    }
    screen.is_terminal = false;
    {
        progress bar{"x", 100, "B", 100_ms, fake_terminal{&screen}};
        screen.time = 9_s;
        bar.update(50);
        bar.erase();
    }
    CHECK(screen.writes.empty());
}

TEST_CASE("progress without a total shows amount and rate", "[io][progress]") {
    fake_screen screen;
    progress bar{"stdin", std::nullopt, "rows", 100_ms, fake_terminal{&screen}};
    screen.time = 2_s;
    bar.update(1'234'567);
    screen.time = 4_s;
    bar.update(7);
    REQUIRE(screen.writes.size() == 2);
    CHECK(screen.writes[0] == "\rstdin  1.2 Mrows  617.2 krows/s\x1b[K");
    CHECK(screen.writes[1] == "\rstdin  7 rows  1 rows/s\x1b[K");
}

TEST_CASE("progress shows 100 % only when all is done, and never more", "[io][progress]") {
    fake_screen screen;
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    progress bar{"x", most, "B", 0_s, fake_terminal{&screen}};
    bar.update(most - 1);
    bar.update(most);
    progress more{"x", 10, "B", 0_s, fake_terminal{&screen}};
    more.update(9);
    more.update(11);
    REQUIRE(screen.writes.size() == 4);
    CHECK(screen.writes[0].find(" 99 %") != std::string::npos);
    CHECK(screen.writes[1].find("[####################] 100 %") != std::string::npos);
    CHECK(screen.writes[2].find("[##################..]  90 %") != std::string::npos);
    CHECK(screen.writes[3].find("[####################] 100 %") != std::string::npos);
}

TEST_CASE("a long label keeps its end and the line its 80 columns", "[io][progress]") {
    fake_screen screen;
    progress bar{"/a/very/long/path/that/goes/on/and/on/and/on/lines.csv", 10, "B", 1_ns, fake_terminal{&screen}};
    screen.time = 1_ns;
    bar.update(10);
    REQUIRE(screen.writes.size() == 1);
    CHECK(screen.writes[0].size() <= 80 + gone.size());
    CHECK(screen.writes[0].starts_with("\r.../on/and/on/and/on/lines.csv  ["));
}

TEST_CASE("the ordinary progress bar is silent when standard error is not a terminal", "[io][progress]") {
    if (stderr_terminal::shown()) {
        WARN("skipped: standard error is a terminal");
        return;
    }
    progress bar{"x", 10};
    bar.update(5);
    duration const before = stderr_terminal::now();
    CHECK((before <= stderr_terminal::now()));
}
