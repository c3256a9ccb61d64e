// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view_file.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/testing/memory_files.hpp>
#include <driftless/view/view.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace view_file_test {
using namespace driftless;
struct best {
    text shop;
    std::int64_t cents;
};
}  // namespace view_file_test
BOOST_HANA_ADAPT_STRUCT(view_file_test::best, shop, cents);

namespace {
using namespace driftless;
using testing::fault;
using testing::memory_files;
using names = view<std::int64_t, std::string>;
using reader = view_reader<std::int64_t, std::string>;
using truth = std::map<std::pair<std::int64_t, time_window>, std::string>;

time_window of(std::int64_t n) { return n == 0 ? time_window{} : time_window{event_time{n}, event_time{n + 10}}; }
template <class View>
void show(View& of, std::uint64_t epoch) {
    of.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
}
/// In epoch e the view has the rows of e keys, each of which says e.
void fill(names& into, std::uint64_t epoch) {
    for (std::uint64_t key = 0; key < epoch; ++key) {
        auto const n = static_cast<std::int64_t>(key);
        into.write(pane<std::int64_t, std::string>{n, of(n % 3), std::to_string(epoch), {}});
    }
    show(into, epoch);
}
/// The epoch that a reader sees, if it is a whole one; 0 without a file.
std::uint64_t seen(memory_files& files) {
    std::optional<reader> in;
    try {
        in.emplace("out", "names", files);
    } catch (error const& problem) {
        REQUIRE(problem.code() == error_code::not_there);
        return 0;
    }
    auto const epoch = in->at().epoch;
    REQUIRE(in->size() == epoch);
    for (std::uint64_t key = 0; key < epoch; ++key) {
        auto const found = in->find(key, of(static_cast<std::int64_t>(key % 3)));
        REQUIRE(found);
        REQUIRE(*found == std::to_string(epoch));
    }
    REQUIRE_FALSE(in->find(static_cast<std::int64_t>(epoch), of(static_cast<std::int64_t>(epoch % 3))));
    return epoch;
}
}  // namespace

TEST_CASE("a view that is published reads in another process as it is", "[view][file]") {
    memory_files files;
    files.make_folder("out");
    std::mt19937_64 random{5};
    names out;
    truth now;
    std::optional<reader> in;
    CHECK_THROWS_AS(reader("out", "names", files), error);
    for (std::uint64_t epoch = 1; epoch < 30; ++epoch) {
        for (auto n = random() % 300; n != 0; --n) {
            auto const key = static_cast<std::int64_t>(random() % 500);
            auto const window = of(static_cast<std::int64_t>(random() % 4));
            auto const value = std::string(random() % 20, 'v') + std::to_string(random() % 1000);
            out.write(pane<std::int64_t, std::string>{key, window, value, {}});
            now[{key, window}] = value;
        }
        show(out, epoch);
        CHECK(publish_file(out.snapshot(), "out", "names", files));
        CHECK_FALSE(publish_file(out.snapshot(), "out", "names", files));
        if (in) CHECK(in->refresh());
        else in.emplace("out", "names", files);
        CHECK_FALSE(in->refresh());
        CHECK(in->at() == out.at());
        truth found;
        in->for_each([&](auto const& each) { found[{each.key, each.window}] = each.value; });
        REQUIRE(found == now);
        for (auto const& [key, value] : now) REQUIRE(*in->find(key.first, key.second) == value);
        CHECK_FALSE(in->find(501));
    }
}

TEST_CASE("a process that dies while it publishes a view leaves the old state or the new one", "[view][file][crash]") {
    for (auto const how : {fault::fail, fault::cut, fault::after}) {
        for (bool const power : {false, true}) {
            bool done = false;
            for (std::uint64_t n = 1; !done; ++n) {
                memory_files files;
                files.make_folder("out");
                files.sync_folder("");
                names out;
                fill(out, 5);
                std::uint64_t published = 0;
                files.inject(n, how);
                try {
                    for (std::uint64_t const epoch : {5U, 9U, 40U}) {
                        if (epoch != 5) fill(out, epoch);
                        publish_file(out.snapshot(), "out", "names", files);
                        published = epoch;
                    }
                    done = true;
                } catch (error const& problem) {
                    REQUIRE(problem.code() == error_code::io);
                }
                if (power) files.lose_power(n);
                else files.restart();
                auto const shown = seen(files);
                auto const next = published == 0 ? 5U : published == 5 ? 9U
                                                                       : 40U;
                CHECK((shown == published || shown == next));
                // The next process publishes what it has, and does not take readers back.
                names again;
                fill(again, 7);
                publish_file(again.snapshot(), "out", "names", files);
                CHECK(seen(files) == (shown > 7 ? shown : 7));
            }
        }
    }
}

TEST_CASE("a damaged file of a view is refused, and one of other types", "[view][file]") {
    memory_files files;
    files.make_folder("out");
    names out;
    fill(out, 20);
    publish_file(out.snapshot(), "out", "names", files);
    auto const whole = *read_whole_file("out/names.view", files);
    auto const code = [&](std::string const& bytes) {
        write_whole_file("out", "names.view", bytes, files);
        try {
            reader const in{"out", "names", files};
        } catch (error const& problem) {
            CHECK(problem.path() == "out/names.view");
            return problem.code();
        }
        return error_code::none;
    };
    CHECK(code(whole) == error_code::none);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
        CHECK(code(bytes) != error_code::none);
    }
    for (std::size_t size = 0; size < whole.size(); size += 7) CHECK(code(whole.substr(0, size)) != error_code::none);
    CHECK(code(whole) == error_code::none);
    try {
        view_reader<std::int64_t, std::int64_t> const in{"out", "names", files};
        FAIL("a file with other values was read");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::mismatch);
    }
}

TEST_CASE("a view of a job with very many partitions does not take readers back either", "[view][file]") {
    memory_files files;
    files.make_folder("out");
    std::vector<std::uint64_t> const offsets(1000, std::uint64_t{1} << 60);
    auto const publish = [&](std::uint64_t epoch) {
        names out;
        out.write(pane<std::int64_t, std::string>{1, {}, std::to_string(epoch), {}});
        out.on_frontier({epoch, event_time::min(), event_time::min(), offsets.data(), offsets.size()});
        return publish_file(out.snapshot(), "out", "names", files);
    };
    CHECK(publish(9));
    CHECK_FALSE(publish(7));
    reader const in{"out", "names", files};
    CHECK(*in.find(1) == "9");
    CHECK(in.at().offsets.size() == 1000);
}

TEST_CASE("a damaged file of a later state is replaced", "[view][file]") {
    memory_files files;
    files.make_folder("out");
    names out;
    fill(out, 9);
    publish_file(out.snapshot(), "out", "names", files);
    auto bytes = *read_whole_file("out/names.view", files);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_whole_file("out", "names.view", bytes, files);
    names again;
    fill(again, 7);
    CHECK(publish_file(again.snapshot(), "out", "names", files));
    CHECK(seen(files) == 7);
}

TEST_CASE("what a published view says of text outlives the next state", "[view][file]") {
    memory_files files;
    files.make_folder("out");
    view<text, view_file_test::best> out;
    auto const publish = [&](std::string const& shop, std::uint64_t epoch) {
        out.write(pane<text, view_file_test::best>{text{"pears"}, {}, {text{shop}, 3}, {}});
        show(out, epoch);
        publish_file(out.snapshot(), "out", "best", files);
    };
    publish("the shop in the north", 1);
    view_reader<text, view_file_test::best> in{"out", "best", files};
    auto const found = in.find("pears");
    publish("another", 2);
    CHECK(in.refresh());
    CHECK(found->shop == text{"the shop in the north"});
    CHECK(in.find("pears")->shop == text{"another"});
}
