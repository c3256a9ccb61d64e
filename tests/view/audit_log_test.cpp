// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/audit_log.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <driftless/testing/memory_files.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace dl = driftless;
using dl::audit_kind;

namespace {
std::int64_t now_ns = 0;
dl::event_time fake_clock() { return dl::event_time{now_ns += 1'000'000'000}; }
dl::audit_log_options in(dl::testing::memory_files& files) { return {.files = &files, .clock = &fake_clock}; }

std::string bytes_of(dl::file_system& files, std::string const& path) {
    return dl::read_whole_file(path, files).value_or("");
}
void put(dl::file_system& files, std::string const& path, std::string const& bytes) {
    auto const into = files.open(path, dl::open_mode::create);
    into->truncate(0);
    into->write_at(0, bytes);
    into->sync();
}
std::vector<std::string> lines_of(std::string const& bytes) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < bytes.size();) {
        auto const end = bytes.find('\n', at) + 1;
        out.push_back(bytes.substr(at, end - at));
        at = end;
    }
    return out;
}
std::string joined(std::vector<std::string> const& lines) {
    std::string out;
    for (auto const& each : lines) out += each;
    return out;
}
void fill(dl::audit_log& log) {
    log.append(audit_kind::deploy, "v1", "ann", "first");
    log.append(audit_kind::deploy, "v2", "ann", "the tax\nwas\tforgotten \\ lost");
    log.append(audit_kind::validate, "v2", "ci", "counts, sums", "passed");
    log.append(audit_kind::cut_over, "v2", "ann", "", "done");
    log.append(audit_kind::roll_back, "v1", "guard", "lag of 9 records", "done");
}
dl::error_code code_of(dl::audit_log const& log) {
    auto const seen = log.try_verify();
    return seen.has_value() ? dl::error_code::none : seen.error().code();
}
}  // namespace

TEST_CASE("an audit log gives back its entries, in order, after a restart", "[view][audit_log]") {
    dl::testing::memory_files files;
    now_ns = 0;
    std::vector<dl::audit_entry> before;
    {
        dl::audit_log log{"audit", in(files)};
        CHECK(log.history().empty());
        CHECK(log.verify().entries == 0);
        fill(log);
        before = log.history();
        CHECK(log.verify() == log.head());
    }
    dl::audit_log const again{"audit", in(files)};
    auto const all = again.history();
    CHECK(all == before);
    REQUIRE(all.size() == 5);
    CHECK(all[1].number == 2);
    CHECK(all[1].at == dl::event_time{2'000'000'000});
    CHECK(all[1].kind == audit_kind::deploy);
    CHECK(all[1].version == "v2");
    CHECK(all[1].why == "the tax\nwas\tforgotten \\ lost");
    CHECK(all[2].verdict == "passed");
    CHECK(all[3].str() == "4  1970-01-01T00:00:04Z  cut_over v2 by ann (done)");
    CHECK(again.history("v1").size() == 2);
    CHECK(dl::read_audit_log("audit", files) == all);
}

TEST_CASE("a line of an audit log that was changed, removed, moved or repeated is found with its place",
    "[view][audit_log]") {
    dl::testing::memory_files files;
    {
        dl::audit_log log{"audit", in(files)};
        fill(log);
    }
    auto const good = bytes_of(files, "audit/audit.log");
    auto const lines = lines_of(good);
    REQUIRE(lines.size() == 5);
    auto const problem = [&](std::string const& bytes) {
        put(files, "audit/audit.log", bytes);
        try {
            dl::read_audit_log("audit", files);
        } catch (dl::error const& each) {
            CHECK(each.code() == dl::error_code::corrupt);
            CHECK(each.path() == "audit/audit.log");
            return each;
        }
        FAIL("nothing was found");
        return dl::error{};
    };
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ 1);
        auto const found = problem(bytes);
        // In the line that was changed; a lost end of line makes one of two.
        std::size_t begin = i == 0 ? 0 : good.rfind('\n', i - 1);
        begin = i == 0 || begin == std::string::npos ? 0 : begin + 1;
        INFO("byte " << i << ": " << found.what());
        CHECK(found.offset() >= begin);
        CHECK(found.offset() <= i + 1);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto removed = lines;
        removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
        problem(joined(removed));
        auto twice = lines;
        twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
        if (i + 1 < lines.size()) problem(joined(twice));
        if (i + 1 < lines.size()) {
            auto moved = lines;
            std::swap(moved[i], moved[i + 1]);
            problem(joined(moved));
        }
    }
    put(files, "audit/audit.log", lines[0]);
    CHECK_THROWS_WITH(dl::read_audit_log("audit", files), Catch::Matchers::Contains("has been cut"));
    // Who changes a line and its checksum is found by the next one, or by the head.
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto const all = [&] {
            put(files, "audit/audit.log", good);
            return dl::read_audit_log("audit", files);
        }();
        auto forged = all[i];
        forged.who = "bob";
        auto changed = lines;
        changed[i] = dl::detail::audit_line(forged, i == 0 ? 0 : all[i - 1].checksum);
        std::size_t next = 0;
        for (std::size_t k = 0; k <= i; ++k) next += changed[k].size();
        CHECK(problem(joined(changed)).offset() == next);
    }
    // The head is read in the same way.
    put(files, "audit/audit.log", good);
    auto const head = bytes_of(files, "audit/audit.head");
    for (std::size_t i = 0; i < head.size(); ++i) {
        auto bytes = head;
        bytes[i] = static_cast<char>(bytes[i] ^ 1);
        put(files, "audit/audit.head", bytes);
        INFO("byte " << i << " of the head");
        CHECK_THROWS_AS(dl::read_audit_log("audit", files), dl::error);
    }
    files.remove("audit/audit.head");
    CHECK_THROWS_WITH(dl::read_audit_log("audit", files), Catch::Matchers::Contains("the audit log is missing"));
    CHECK_THROWS_AS(dl::audit_log("audit", in(files)), dl::error);
}

TEST_CASE("an audit log that was replaced while it was open is found", "[view][audit_log]") {
    dl::testing::memory_files files;
    dl::audit_log log{"audit", in(files)};
    fill(log);
    CHECK(code_of(log) == dl::error_code::none);
    {
        dl::audit_log other{"other", in(files)};
        for (int i = 0; i < 6; ++i) other.append(audit_kind::note, "", "mallory", "nothing happened");
    }
    put(files, "audit/audit.log", bytes_of(files, "other/audit.log"));
    put(files, "audit/audit.head", bytes_of(files, "other/audit.head"));
    CHECK(code_of(log) == dl::error_code::corrupt);
    CHECK_THROWS_AS(log.append(audit_kind::note, "", "", ""), dl::error);
}

TEST_CASE("a torn tail of an audit log is not shown, and the next append cuts it off", "[view][audit_log]") {
    dl::testing::memory_files files;
    {
        dl::audit_log log{"audit", in(files)};
        fill(log);
    }
    auto const good = bytes_of(files, "audit/audit.log");
    put(files, "audit/audit.log", good + "6\t1970-01-01T00" + std::string(300, '0'));
    CHECK(dl::read_audit_log("audit", files).size() == 5);
    dl::audit_log log{"audit", in(files)};
    CHECK(log.history().size() == 5);
    log.append(audit_kind::note, "", "bob", "went on");
    CHECK(log.verify().entries == 6);
    CHECK(lines_of(bytes_of(files, "audit/audit.log")).size() == 6);
}

TEST_CASE("times of an audit log never go back", "[view][audit_log]") {
    dl::testing::memory_files files;
    now_ns = 5'000'000'000;
    dl::audit_log log{"audit", in(files)};
    auto const first = log.append(audit_kind::note, "", "", "");
    now_ns = 0;
    CHECK(log.append(audit_kind::note, "", "", "").at == first.at);
    now_ns = 100'000'000'000;
    CHECK(log.append(audit_kind::note, "", "", "").at == dl::event_time{101'000'000'000});
}

TEST_CASE("two audit logs in one folder append in turn", "[view][audit_log]") {
    dl::testing::memory_files files;
    dl::audit_log a{"audit", in(files)};
    dl::audit_log b{"audit", in(files)};
    a.append(audit_kind::note, "", "a", "1");
    b.append(audit_kind::note, "", "b", "2");
    a.append(audit_kind::note, "", "a", "3");
    auto const all = b.history();
    REQUIRE(all.size() == 3);
    CHECK(all[1].who == "b");
    CHECK(a.verify() == b.verify());
}

TEST_CASE("threads append to an audit log on the disk", "[view][audit_log]") {
    test::temporary_folder const folder;
    dl::audit_log log{folder.path() + "/audit"};
    {
        std::vector<std::thread> writers;
        for (int w = 0; w < 3; ++w) {
            writers.emplace_back([&log, w] {
                for (int i = 0; i < 5; ++i) log.append(audit_kind::note, "v", std::to_string(w), std::to_string(i));
            });
        }
        for (auto& each : writers) each.join();
    }
    CHECK(log.verify().entries == 15);
    CHECK(dl::read_audit_log(folder.path() + "/audit").size() == 15);
    CHECK_THROWS_AS(dl::read_audit_log(folder.path() + "/none"), dl::error);
}

TEST_CASE("an audit log survives whatever goes wrong at any call of the file layer", "[view][audit_log]") {
    using dl::testing::fault;
    std::uint64_t operations = 0;
    {
        dl::testing::memory_files files;
        dl::audit_log log{"audit", in(files)};
        fill(log);
        operations = files.operations();
    }
    REQUIRE(operations > 30);
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (std::uint64_t nth = 1; nth <= operations; ++nth) {
            for (std::uint64_t seed : {0U, 1U, 2U, 3U}) {
                dl::testing::memory_files files;
                files.inject(nth, what);
                std::uint64_t acknowledged = 0;
                bool threw = false;
                auto const work = [&] {
                    dl::audit_log log{"audit", in(files)};
                    while (acknowledged < 5) {
                        log.append(audit_kind::note, "v1", "ann", std::to_string(acknowledged + 1));
                        ++acknowledged;
                    }
                };
                try {
                    work();
                } catch (dl::error const& problem) {
                    CHECK(problem.code() == dl::error_code::io);
                    threw = true;
                }
                INFO("operation " << nth << ", fault " << static_cast<int>(what) << ", seed " << seed);
                CHECK(threw);
                if (seed == 3) files.restart();  // the process alone dies
                else files.lose_power(seed);
                dl::audit_log log{"audit", in(files)};
                auto const left = log.history();
                CHECK(left.size() >= acknowledged);
                CHECK(left.size() <= acknowledged + 1);
                for (std::size_t i = 0; i < left.size(); ++i) CHECK(left[i].why == std::to_string(i + 1));
                log.append(audit_kind::note, "v1", "ann", std::to_string(left.size() + 1));
                files.lose_power(0);
                dl::audit_log const after{"audit", in(files)};
                CHECK(after.verify().entries == left.size() + 1);
            }
        }
    }
}

TEST_CASE("an audit log whose append failed goes on in the same process", "[view][audit_log]") {
    using dl::testing::fault;
    for (std::uint64_t nth = 1; nth <= 12; ++nth) {
        dl::testing::memory_files files;
        dl::audit_log log{"audit", in(files)};
        log.append(audit_kind::note, "", "", "before");
        files.inject(nth, fault::fail);
        bool failed = false;
        try {
            log.append(audit_kind::note, "", "", "failed");
        } catch (dl::error const&) {
            failed = true;
        }
        files.inject(0, fault::fail);
        log.append(audit_kind::note, "", "", "after");
        INFO("operation " << nth);
        files.lose_power(0);
        dl::audit_log const again{"audit", in(files)};
        auto const all = again.history();
        REQUIRE(all.size() >= 2);
        CHECK(all.front().why == "before");
        CHECK(all.back().why == "after");
        CHECK(all.size() <= 3);
        if (!failed) CHECK(all.size() == 3);
    }
}
