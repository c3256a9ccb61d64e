// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

// What a file log says of files that are no good: the code, the path, and what to do.

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using testing::memory_files;

namespace {
std::string const first_segment = "log/p00000/00000000000000000000.segment";
std::string const first_index = "log/p00000/00000000000000000000.index";

/// Calls f, which must throw an error with that code and path, and words that say what to do.
void refuses(std::function<void()> const& f, error_code code, std::string const& path, std::string const& remedy) {
    try {
        f();
    } catch (error const& why) {
        INFO(why.what());
        CHECK(to_string(why.code()) == to_string(code));
        CHECK(why.path() == path);
        CHECK(std::string{why.what()}.find(path) != std::string::npos);
        CHECK(std::string{why.what()}.find(remedy) != std::string::npos);
        return;
    }
    FAIL("no error for " << path);
}
void opens_to_append(memory_files& files) { file_log<reading> const log{"log", small_log::options_in(files)}; }
void opens_to_read(memory_files& files) { file_log<reading> const log{"log", small_log::reading_from(files)}; }

/// Writes the number of a format into the header of a segment, and its checksum.
void set_format(memory_files& files, std::string const& path, std::uint32_t format) {
    auto bytes = small_log::bytes_of(files, path);
    std::memcpy(bytes.data() + 8, &format, sizeof format);
    auto const size = detail::get<std::uint32_t>(bytes, 12);
    auto const sum = xxh3_64(bytes.data(), size - 8);
    std::memcpy(bytes.data() + size - 8, &sum, sizeof sum);
    small_log::set_bytes(files, path, bytes);
}
std::uint64_t records_of(memory_files& files) {
    file_log<reading> const log{"log", small_log::reading_from(files)};
    log_conformance::check_some(log, 0, log.end_offset(), 0);
    return log.end_offset();
}
}  // namespace

TEST_CASE("a disk that is full is told by flush, and nothing is lost once there is room", "[log][file_log][refusal]") {
    memory_files files;
    file_log<reading> log{"log", small_log::options_in(files)};
    log_conformance::append_some(log, 0, 20);
    log.sync();
    log_conformance::append_some(log, 20, 40);
    files.limit(small_log::bytes_of(files, first_segment).size() + 100);
    refuses([&] { log.flush(); }, error_code::io, first_segment, "No space left on device");
    refuses([&] { log.sync(); }, error_code::io, first_segment, "No space left on device");
    log_conformance::check_some(log, 0, 40, 0);  // still there to be read
    CHECK(log.durable_offset() == 20);
    files.limit(1'000'000);
    log.close();
    CHECK(records_of(files) == 40);
}

TEST_CASE("a disk that is full when the log is made leaves no half of one", "[log][file_log][refusal]") {
    memory_files whole;
    opens_to_append(whole);
    auto const progress = small_log::bytes_of(whole, "log/progress").size();
    for (auto const& [room, path] : {std::pair{std::size_t{10}, "log/progress"}, {progress + 10, "log/identity.new"}}) {
        memory_files files;
        files.limit(room);
        refuses([&] { opens_to_append(files); }, error_code::io, path, "No space left on device");
        files.limit(1'000'000);
        opens_to_append(files);
        CHECK(records_of(files) == 0);
    }
}

TEST_CASE("a folder that may not be written is told when the log is opened", "[log][file_log][refusal]") {
    if (::geteuid() == 0) {
        WARN("skipped for root, who may write anywhere");
        return;
    }
    test::temporary_folder const folder;
    auto const path = folder.path() + "/log";
    { file_log<reading> const made{path}; }
    std::filesystem::permissions(path + "/lock", std::filesystem::perms::owner_read);
    refuses([&] { file_log<reading> const log{path}; }, error_code::io, path + "/lock", "Permission denied");
}

TEST_CASE("files that cannot be opened are told by their path", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 40);
    files.inject(1, testing::fault::fail);
    refuses([&] { opens_to_append(files); }, error_code::io, "log", "cannot make a folder");
    files.inject(2, testing::fault::fail);
    refuses([&] { opens_to_append(files); }, error_code::io, "log/lock", "cannot open a file");
    files.inject(1, testing::fault::fail);
    refuses([&] { opens_to_read(files); }, error_code::io, "log/identity", "cannot open a file");
    CHECK(records_of(files) == 40);
}

TEST_CASE("a folder with other files becomes no log", "[log][file_log][refusal]") {
    memory_files files;
    files.make_folder("log");
    small_log::set_bytes(files, "log/letter.txt", "dear");
    refuses([&] { opens_to_append(files); }, error_code::mismatch, "log", "give the log a folder of its own");
    refuses([&] { opens_to_read(files); }, error_code::not_there, "log", "look at the path");
    CHECK(small_log::bytes_of(files, "log/letter.txt") == "dear");
}

TEST_CASE("other files in the folder of a log are left alone", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 40);
    for (auto const* const path : {"log/letter.txt", "log/p00000/letter.txt", "log/p00000/1.segment"}) {
        small_log::set_bytes(files, path, "dear");
    }
    opens_to_append(files);
    CHECK(records_of(files) == 40);
    CHECK(small_log::bytes_of(files, "log/p00000/1.segment") == "dear");
}

TEST_CASE("a log of a later format is refused, and left as it is", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 20);
    SECTION("by its segment") {
        set_format(files, first_segment, log_format_version + 1);
        auto const before = small_log::bytes_of(files, first_segment);
        refuses([&] { opens_to_append(files); }, error_code::unsupported, first_segment, "use a newer driftless");
        refuses([&] { opens_to_read(files); }, error_code::unsupported, first_segment, "use a newer driftless");
        CHECK(small_log::bytes_of(files, first_segment) == before);
    }
    SECTION("by its identity") {
        auto bytes = small_log::bytes_of(files, "log/identity");
        bytes[8] = 2;
        auto const sum = xxh3_64(bytes.data(), bytes.size() - 8);
        std::memcpy(bytes.data() + bytes.size() - 8, &sum, sizeof sum);
        small_log::set_bytes(files, "log/identity", bytes);
        refuses([&] { opens_to_append(files); }, error_code::unsupported, "log/identity", "use a newer driftless");
        refuses([&] { opens_to_read(files); }, error_code::unsupported, "log/identity", "use a newer driftless");
    }
}

TEST_CASE("an identity that is damaged is refused with both checksums", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 20);
    small_log::flip(files, "log/identity", 20);
    refuses([&] { opens_to_read(files); }, error_code::corrupt, "log/identity", "driftless-log repair");
    refuses([&] { opens_to_append(files); }, error_code::corrupt, "log/identity", "the checksum on disk is ");
}

TEST_CASE("the lock file of a writer that died keeps nobody out", "[log][file_log][refusal]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/log";
    int tell[2];
    REQUIRE(::pipe(tell) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            file_log_options options;
            options.background = false;
            options.durable = on_close;
            file_log<reading> log{path, options};
            log_conformance::append_some(log, 0, 30);
            log.flush();
            if (::write(tell[1], "x", 1) != 1) ::_exit(2);
            for (;;) ::pause();
        } catch (...) {
            ::_exit(1);
        }
    }
    ::close(tell[1]);
    char byte = 0;
    auto const told = ::read(tell[0], &byte, 1);
    // While it lives it keeps every other process out.
    refuses([&] { file_log<reading> const log{path}; }, error_code::in_use, path, "close it there first");
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    ::close(tell[0]);
    REQUIRE(told == 1);
    CHECK(std::filesystem::exists(path + "/lock"));
    file_log<reading> const log{path};
    REQUIRE(log.end_offset() == 30);
    log_conformance::check_some(log, 0, 30, 0);
}

TEST_CASE("a second writer in the same process is refused, a reader is not", "[log][file_log][refusal]") {
    memory_files files;
    file_log<reading> log{"log", small_log::options_in(files)};
    log_conformance::append_some(log, 0, 20);
    log.flush();
    refuses([&] { opens_to_append(files); }, error_code::in_use, "log", "or open the log to read it");
    CHECK(records_of(files) == 20);
}

TEST_CASE("an index file that is missing, stale or damaged costs time and nothing else", "[log][file_log][refusal]") {
    memory_files files;
    auto options = small_log::options_in(files);
    options.segment_bytes = 40'000;
    std::string stale;
    for (std::uint64_t end : {std::uint64_t{10}, std::uint64_t{3'000}}) {
        file_log<reading> log{"log", options};
        log_conformance::append_some(log, log.end_offset(), end);
        log.close();
        if (stale.empty()) stale = small_log::bytes_of(files, first_index);
    }
    auto const good = small_log::bytes_of(files, first_index);
    REQUIRE(good.size() > stale.size());
    SECTION("missing") { files.remove(first_index); }
    SECTION("stale") { small_log::set_bytes(files, first_index, stale); }
    SECTION("damaged") { small_log::flip(files, first_index, 60); }
    SECTION("cut short") { small_log::set_bytes(files, first_index, good.substr(0, good.size() / 2)); }
    SECTION("empty") { small_log::set_bytes(files, first_index, ""); }
    CHECK(records_of(files) == 3'000);
    opens_to_append(files);
    CHECK(records_of(files) == 3'000);
}

TEST_CASE("a segment of another log that was copied in is refused", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 20);
    auto options = small_log::options_in(files);
    options.id = {7, 8};
    {
        file_log<reading> other{"other", options};
        log_conformance::append_some(other, 0, 20);
    }
    auto const foreign = small_log::bytes_of(files, "other/p00000/00000000000000000000.segment");
    auto const at = GENERATE(std::uint64_t{0}, std::uint64_t{20});
    auto const path = "log/p00000/" + detail::segment_name(at) + ".segment";
    small_log::set_bytes(files, path, foreign);
    refuses([&] { opens_to_append(files); }, error_code::mismatch, path, "move it away");
    refuses([&] { opens_to_read(files); }, error_code::mismatch, path, to_string(log_id{7, 8}));
    CHECK(small_log::bytes_of(files, path) == foreign);
    if (at == 0) return;
    files.remove(path);
    CHECK(records_of(files) == 20);
}

TEST_CASE("a file that is no segment but has the name of one is refused", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 100);
    small_log::set_bytes(files, first_segment, "dear");
    file_log<reading> const log{"log", small_log::reading_from(files)};
    refuses([&] { static_cast<void>(log.read(0, 0)); }, error_code::corrupt, first_segment,
        "move the file away if it does not belong here");
}

TEST_CASE("records of another type, or in another layout, are refused with both schemas", "[log][file_log][refusal]") {
    memory_files files;
    small_log::make<file_log<visit, packed>>(files, 20);
    refuses([&] { opens_to_append(files); }, error_code::mismatch, "log", "it has {page:text");
    auto const in_columns = [&] { file_log<visit, columns> const log{"log", small_log::options_in(files)}; };
    refuses(in_columns, error_code::mismatch, "log", "give it as the second argument of file_log");
}
