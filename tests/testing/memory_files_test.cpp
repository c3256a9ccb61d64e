// SPDX-License-Identifier: BSL-1.0
#include <driftless/testing/memory_files.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/whole_file.hpp>
#include <support/catch.hpp>

#include <optional>
#include <set>
#include <string>
using namespace driftless;
using testing::fault;
using testing::memory_files;

namespace {
/// What is in a file now; nothing if there is none.
std::optional<std::string> content(memory_files& files, std::string const& path) {
    return read_whole_file(path, files);
}

bool throws(std::string const& sentence, auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        INFO(problem.what());
        CHECK(std::string{problem.what()}.find(sentence) != std::string::npos);
        return true;
    }
    return false;
}
}  // namespace

TEST_CASE("a loss of power leaves what was synced, in files and in folders", "[testing][memory_files]") {
    memory_files files;
    auto const a = files.open("a", open_mode::create);
    a->write_at(0, "safe");
    a->sync();
    files.sync_folder("");
    a->write_at(0, "lost");
    files.open("b", open_mode::create)->sync();  // its name is not safe
    files.lose_power(0);
    CHECK(content(files, "a") == "safe");
    CHECK(!content(files, "b"));
    CHECK(throws("has ended", [&] { a->write_at(0, "x"); }));
}

TEST_CASE("what was not synced may stay in any part, by the seed", "[testing][memory_files]") {
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        memory_files files;
        {
            auto const a = files.open("a", open_mode::create);
            files.sync_folder("");
            a->write_at(0, std::string(1024, 'x'));
            a->write_at(1024, std::string(1024, 'y'));
        }
        files.lose_power(seed);
        auto bytes = content(files, "a").value();
        std::string form = bytes.substr(0, 1);
        if (bytes.size() > 1024) form += bytes.substr(1024, 1);
        seen.insert(std::to_string(bytes.size()) + form);
    }
    CHECK(seen.count("0") == 1);
    CHECK(seen.count("1024x") == 1);
    CHECK(seen.count("512x") == 1);
    CHECK(seen.count("2048xy") == 1);
    CHECK(seen.count(std::string{"2048"} + '\0' + 'y') == 1);  // the later write alone
}

TEST_CASE("bytes whose sync failed are not made safe by the next one", "[testing][memory_files]") {
    memory_files files;
    auto const a = files.open("a", open_mode::create);
    files.sync_folder("");
    a->write_at(0, "abc");
    files.inject(1, fault::fail);
    CHECK(throws("injected", [&] { a->sync(); }));
    a->sync();
    CHECK(content(files, "a") == "abc");
    files.lose_power(0);
    CHECK(content(files, "a") == "");
}

TEST_CASE("the nth operation fails, is cut, or is the last", "[testing][memory_files]") {
    memory_files files;
    auto const write = [&] {
        auto const a = files.open("a", open_mode::create);
        a->write_at(0, "abcd");
        a->sync();
    };
    auto const before = files.operations();
    write();
    CHECK(files.operations() - before == 3);

    files.remove("a");
    files.inject(2, fault::fail);
    CHECK(throws("cannot write a file: injected fault", write));
    CHECK(content(files, "a") == "ab");
    write();
    CHECK(content(files, "a") == "abcd");

    files.remove("a");
    files.inject(2, fault::cut);
    CHECK(throws("injected", write));
    CHECK(throws("the power is off", write));
    files.restart();
    CHECK(content(files, "a") == "ab");

    files.inject(2, fault::after);
    CHECK(throws("injected", write));
    files.restart();
    CHECK(content(files, "a") == "abcd");
}

TEST_CASE("a full disk takes a part of a write", "[testing][memory_files]") {
    memory_files files;
    auto const a = files.open("a", open_mode::create);
    a->write_at(0, "abcd");
    files.limit(6);
    CHECK(throws("No space left", [&] { a->write_at(4, "efgh"); }));
    CHECK(a->size() < 8);
    a->write_at(0, "ABCD");  // does not grow
    files.limit(100);
    a->write_at(4, "efgh");
    CHECK(content(files, "a") == "ABCDefgh");
}

TEST_CASE("locks end with the process", "[testing][memory_files]") {
    memory_files files;
    auto const a = files.open("a", open_mode::create);
    CHECK(a->try_lock(false));
    files.restart();
    CHECK(files.open("a", open_mode::write)->try_lock(false));
}

TEST_CASE("write_whole_file leaves the old or the new bytes, whatever fails", "[file][whole_file]") {
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (std::uint64_t nth = 1;; ++nth) {
            memory_files files;
            files.make_folder("f");
            files.sync_folder("");
            write_whole_file("f", "x", "old", files);
            files.inject(nth, what);
            bool const failed = throws("injected", [&] { write_whole_file("f", "x", "newer", files); });
            files.lose_power(nth * 7919);
            auto const there = content(files, "f/x").value();
            CHECK((there == "newer" || (failed && there == "old")));
            if (!failed) break;
        }
    }
}
