// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

// The bytes of format 1, as docs/log_format.md describes them. These tests are right to go red when the format changes,
// and only then: as long as no format is published the files are made anew by running them once with
// DRIFTLESS_WRITE_GOLDEN set; afterwards a change needs a new format number, and the old files stay to be read.

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using testing::memory_files;

namespace {
constexpr std::uint64_t records = 9;

template <class Log>
void make(memory_files& files) {
    auto options = small_log::options_in(files);
    options.segment_bytes = 1'000'000;
    Log log{"log", options};
    log_conformance::append_some(log, 0, 5);
    log.sync();  // a second block follows, which says that the first is durable
    log_conformance::append_some(log, 5, records);
    log.close();
}

/// Producers that number, transactions, one that waits, a registered reader; two segments.
constexpr std::uint64_t sent = 50;
void make_with_all(memory_files& files) {
    auto const record = [](std::uint64_t i) { return log_conformance::make_record(static_cast<reading*>(nullptr), i); };
    file_log<reading> log{"log", small_log::options_in(files)};
    log.append_once(7, 100, std::vector<reading>{record(0), record(1), record(2), record(3)});
    auto one = log.begin();
    for (std::uint64_t i = 4; i < sent; ++i) one.append(record(i));
    one.commit();
    log.sync();
    auto later = log.begin();
    later.append(record(sent));
    later.prepare("epoch-1");
    log.append_once(8, 0, std::vector<reading>{record(sent)});
    log.register_reader("slow", {.lease = duration{1'000}}).move_to(0, 4);
    log.close();
}

/// The files of a log as text: a line with the path, then 32 bytes a line in hexadecimal.
std::string to_text(memory_files& files) {
    std::string out;
    for (auto const& path : small_log::paths_in(files)) {
        out += path + "\n";
        auto const bytes = small_log::bytes_of(files, path);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            auto const byte = static_cast<unsigned char>(bytes[i]);
            if (i % 32 == 0) out += ' ';
            (out += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
            if (i % 32 == 31 || i + 1 == bytes.size()) out += '\n';
        }
    }
    return out;
}
void from_text(std::string_view text, memory_files& files) {
    files.make_folder("log");
    for (auto const* const folder : {"log/p00000", "log/readers", "log/transactions"}) {
        if (text.find(std::string{folder} + "/") != std::string_view::npos) files.make_folder(folder);
    }
    std::string path;
    std::string bytes;
    auto const finish = [&] {
        if (!path.empty()) small_log::set_bytes(files, path, bytes);
        bytes.clear();
    };
    auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() + 1);
        if (!line.starts_with(' ')) {
            finish();
            path = line;
            continue;
        }
        for (line.remove_prefix(1); !line.empty(); line.remove_prefix(2)) {
            bytes += static_cast<char>(digit(line[0]) << 4 | digit(line[1]));
        }
    }
    finish();
}
std::string golden_text(std::string const& name) {
    auto const path = std::filesystem::path{__FILE__}.parent_path() / "golden" / (name + ".txt");
    std::ifstream from{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{from}, {}};
}

template <class Log>
void is_golden(std::string const& name, void (*make_log)(memory_files&) = &make<Log>, std::uint64_t count = records) {
    memory_files made;
    make_log(made);
    auto const text = to_text(made);
    if (std::getenv("DRIFTLESS_WRITE_GOLDEN") != nullptr) {
        auto const path = std::filesystem::path{__FILE__}.parent_path() / "golden" / (name + ".txt");
        std::ofstream{path, std::ios::binary} << text;
    }
    auto const golden = golden_text(name);
    REQUIRE(!golden.empty());
    CHECK(text == golden);

    memory_files files;
    from_text(golden, files);
    verify_log_options verify;
    verify.files = &files;
    CHECK(verify_log("log", verify).problems == 0);
    Log const log{"log", small_log::reading_from(files)};
    REQUIRE(log.end_offset() == count);
    log_conformance::check_some(log, 0, count, 0);
}
}  // namespace

TEST_CASE("a log in rows has the bytes of format 1", "[log][golden]") { is_golden<file_log<reading, rows>>("rows"); }
TEST_CASE("a packed log has the bytes of format 1", "[log][golden]") { is_golden<file_log<visit, packed>>("packed"); }
TEST_CASE("a log in columns has the bytes of format 1", "[log][golden]") {
    is_golden<file_log<visit, columns>>("columns");
}
TEST_CASE("a log with producers, transactions and readers has the bytes of format 1", "[log][golden]") {
    is_golden<file_log<reading>>("transactions", &make_with_all, sent + 1);
    memory_files files;
    from_text(golden_text("transactions"), files);
    file_log<reading> log{"log", small_log::options_in(files)};
    auto const again = log.append_once(7, 100, std::vector<reading>(4));
    CHECK((again.offset == 0 && again.added == 0));
    CHECK(log.prepared() == std::vector<std::string>{"epoch-1"});
    CHECK(log.commit_prepared("epoch-1"));
    CHECK(log.end_offset() == sent + 2);
    CHECK(log.register_reader("slow").offset() == 4);
}
