// SPDX-License-Identifier: BSL-1.0
// One suite for every file system: what is promised of files, whoever keeps them.
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/core/error.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <unistd.h>

#include <string>
#include <vector>
using namespace driftless;

namespace {
struct real {
    test::temporary_folder folder;
    file_system& files = real_files();
    [[nodiscard]] std::string path(std::string const& name) const { return folder.path() + "/" + name; }
};
struct memory {
    testing::memory_files files;
    memory() { files.make_folder("here"); }
    [[nodiscard]] static std::string path(std::string const& name) { return "here/" + name; }
};

std::string bytes_of(file& from) {
    std::string out(static_cast<std::size_t>(from.size()), '?');
    CHECK(from.read_at(0, out.data(), out.size()) == out.size());
    return out;
}
/// What f is refused with.
template <class F>
std::string refusal(F&& f) {
    try {
        f();
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::io);
        CHECK(!problem.path().empty());
        return problem.what();
    }
    return "nothing was refused";
}
bool says(std::string const& sentence, std::string const& part) { return sentence.find(part) != std::string::npos; }
}  // namespace

TEMPLATE_TEST_CASE("a missing file is null to read or write, and made by create", "[file]", real, memory) {
    TestType there;
    auto const path = there.path("a");
    CHECK(there.files.open(path, open_mode::read) == nullptr);
    CHECK(there.files.open(path, open_mode::write) == nullptr);
    CHECK(!there.files.exists(path));
    CHECK(there.files.open(path, open_mode::create_new) != nullptr);
    CHECK(there.files.exists(path));
    CHECK(there.files.open(path, open_mode::create) != nullptr);
    CHECK(there.files.open(path, open_mode::read)->path() == path);
    CHECK(says(refusal([&] { static_cast<void>(there.files.open(path, open_mode::create_new)); }), path));
    auto const astray = there.path("no/such");
    CHECK(says(refusal([&] { static_cast<void>(there.files.open(astray, open_mode::create)); }), astray));
}

TEMPLATE_TEST_CASE("pieces are written one behind the other, also past the end", "[file]", real, memory) {
    TestType there;
    auto const a = there.files.open(there.path("a"), open_mode::create);
    std::string_view const pieces[] = {"abc", "", "de", "f"};
    a->write_at(2, pieces, 4);
    CHECK(bytes_of(*a) == std::string{"\0\0abcdef", 8});
    a->write_at(3, "X");
    a->truncate(5);
    CHECK(bytes_of(*a) == std::string{"\0\0aXc", 5});
    a->truncate(7);
    CHECK(bytes_of(*a) == std::string{"\0\0aXc\0\0", 7});
    a->write_at(0, pieces, 0);
    a->sync();
    char two[2];
    CHECK(a->read_at(6, two, 2) == 1);
    CHECK(a->read_at(7, two, 2) == 0);
    CHECK(a->read_at(100, two, 2) == 0);
}

TEMPLATE_TEST_CASE("many pieces are written whole", "[file]", real, memory) {
    TestType there;
    auto const a = there.files.open(there.path("a"), open_mode::create);
    std::vector<std::string> strings;
    std::string all;
    for (unsigned i = 0; i < 1000; ++i) strings.emplace_back(i % 7, static_cast<char>('a' + i % 26));
    for (auto const& each : strings) all += each;
    std::vector<std::string_view> const pieces{strings.begin(), strings.end()};
    a->write_at(0, pieces.data(), pieces.size());
    CHECK(bytes_of(*a) == all);
}

TEMPLATE_TEST_CASE("a file opened to read cannot be written", "[file]", real, memory) {
    TestType there;
    there.files.open(there.path("a"), open_mode::create)->write_at(0, "abc");
    auto const a = there.files.open(there.path("a"), open_mode::read);
    CHECK(says(refusal([&] { a->write_at(0, "x"); }), "cannot write"));
    CHECK(bytes_of(*a) == "abc");
}

TEMPLATE_TEST_CASE("rename replaces, remove says whether there was something", "[file]", real, memory) {
    TestType there;
    there.files.open(there.path("a"), open_mode::create)->write_at(0, "new");
    there.files.open(there.path("b"), open_mode::create)->write_at(0, "old");
    auto const old = there.files.open(there.path("b"), open_mode::read);
    there.files.rename(there.path("a"), there.path("b"));
    there.files.sync_folder(there.path(".").substr(0, there.path("").size() - 1));
    CHECK(bytes_of(*there.files.open(there.path("b"), open_mode::read)) == "new");
    CHECK(bytes_of(*old) == "old");
    CHECK(!there.files.exists(there.path("a")));
    CHECK(there.files.remove(there.path("b")));
    CHECK(!there.files.remove(there.path("b")));
    CHECK(bytes_of(*old) == "old");
    CHECK(says(refusal([&] { there.files.rename(there.path("a"), there.path("b")); }), "cannot rename"));
}

TEMPLATE_TEST_CASE("folders are made once, listed by name, removed when empty", "[file]", real, memory) {
    TestType there;
    CHECK(there.files.make_folder(there.path("f")));
    CHECK(!there.files.make_folder(there.path("f")));
    static_cast<void>(there.files.open(there.path("f/b"), open_mode::create));
    static_cast<void>(there.files.open(there.path("f/a"), open_mode::create));
    there.files.make_folder(there.path("f/c"));
    auto const found = there.files.list(there.path("f"));
    REQUIRE(found.size() == 3);
    CHECK((found[0].name == "a" && !found[0].folder));
    CHECK((found[1].name == "b" && !found[1].folder));
    CHECK((found[2].name == "c" && found[2].folder));
    CHECK(there.files.list(there.path("none")).empty());
    CHECK(says(refusal([&] { there.files.remove(there.path("f")); }), "cannot remove"));
    CHECK(says(refusal([&] { there.files.make_folder(there.path("f/a")); }), "cannot make a folder"));
    for (auto const* each : {"f/a", "f/b", "f/c", "f"}) CHECK(there.files.remove(there.path(each)));
    CHECK(!there.files.exists(there.path("f")));
}

TEMPLATE_TEST_CASE("a mapping outlives its file, and a shared one shows what others write", "[file]", real, memory) {
    TestType there;
    auto a = there.files.open(there.path("a"), open_mode::create);
    a->write_at(0, "abc");
    auto const seen = a->map(3);
    there.files.remove(there.path("a"));
    a.reset();
    CHECK(seen.view() == "abc");

    auto const b = there.files.open(there.path("b"), open_mode::create);
    auto const again = there.files.open(there.path("b"), open_mode::write);
    b->truncate(8);
    auto const here = b->map_shared(8);
    auto const other = again->map_shared(8);
    here.data.get()[3] = 'x';
    CHECK(other.data.get()[3] == 'x');
    CHECK(b->map(0).view().empty());
}

TEMPLATE_TEST_CASE("one may lock a file alone, or several share it", "[file]", real, memory) {
    TestType there;
    auto a = there.files.open(there.path("a"), open_mode::create);
    auto b = there.files.open(there.path("a"), open_mode::read);
    auto c = there.files.open(there.path("a"), open_mode::write);
    CHECK(a->try_lock(false));
    CHECK(!b->try_lock(true));
    CHECK(!c->try_lock(false));
    CHECK(a->try_lock(false));  // has it
    a.reset();
    CHECK(b->try_lock(true));
    CHECK(c->try_lock(true));
    CHECK(!b->try_lock(false));
    c->unlock();
    CHECK(b->try_lock(false));
    CHECK(!c->try_lock(true));
}

TEST_CASE("a file never takes the place of a closed standard stream", "[file]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/records";
    int const kept = ::dup(STDOUT_FILENO);
    REQUIRE(kept >= 0);
    ::close(STDOUT_FILENO);
    auto const opened = real_files().open(path, open_mode::create);
    auto const printed = ::write(STDOUT_FILENO, "noise", 5);
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    CHECK(printed == -1);
    CHECK(opened->size() == 0);
}
