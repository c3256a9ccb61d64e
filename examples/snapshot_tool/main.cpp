// SPDX-License-Identifier: BSL-1.0
// driftless-snapshot: looks at the snapshots of a job, and checks them. `driftless-snapshot --help` says more.
//
// program: driftless-snapshot
#include <driftless/core/error.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/run/snapshot_store.hpp>

#include "../log_tool/command_line.hpp"
#include "../log_tool/output.hpp"
#include "help.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {
namespace dl = driftless;
using log_tool::arguments;
using log_tool::print;
using log_tool::usage_error;

std::string utc(dl::event_time at) {
    auto const seconds = static_cast<std::time_t>(at.ns() / 1'000'000'000);
    std::tm parts{};
    char out[32] = "?";
    if (::gmtime_r(&seconds, &parts) != nullptr) std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S UTC", &parts);
    return out;
}
std::string hex(std::uint64_t n) {
    char out[20];
    std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(n));
    return out;
}
std::string plural(std::size_t n, std::string const& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}
/// Of all its state, or of what its own file holds.
std::uint64_t bytes_in(dl::snapshot_manifest const& of, bool own_only) {
    std::uint64_t sum = 0;
    for (auto const& member : of.members) {
        for (auto const& each : member.extents) sum += !own_only || each.file == 0 ? each.size : 0;
    }
    return sum;
}

/// A folder with snapshots, and which of them somebody wants to see.
struct folder {
    dl::snapshot_store store;
    std::vector<std::uint64_t> numbers;
    std::optional<std::uint64_t> wanted;
};
/// From the words FOLDER [NUMBER].
folder open(std::vector<std::string> const& words) {
    if (words.empty()) throw usage_error{"expected the folder of a job's snapshots"};
    if (words.size() > 2) throw usage_error{"expected a folder, and the number of a snapshot at most"};
    for (auto const& each : words) {
        if (each.starts_with('-')) throw usage_error{"there is no option '" + each + "'"};
    }
    std::optional<std::uint64_t> wanted;
    if (words.size() == 2) {
        auto const& text = words[1];
        auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), wanted.emplace());
        if (problem != std::errc{} || end != text.data() + text.size()) {
            throw usage_error{"the number of a snapshot is a whole number, not '" + text + "'"};
        }
    }
    // A store would make it.
    if (!dl::real_files().exists(words[0])) {
        throw dl::error{dl::error_code::not_there, "there is no such folder", words[0]};
    }
    folder out{dl::snapshot_store{words[0], dl::real_files()}, {}, wanted};
    out.numbers = out.store.numbers();
    if (out.numbers.empty()) throw dl::error{dl::error_code::not_there, "no snapshots in this folder", words[0]};
    if (wanted) {
        bool there = false;
        for (auto const each : out.numbers) there = there || each == *wanted;
        if (!there) {
            throw dl::error{dl::error_code::not_there,
                "there is no snapshot " + std::to_string(*wanted) + "; there are " + std::to_string(out.numbers.front())
                    + " to " + std::to_string(out.numbers.back()),
                words[0]};
        }
    }
    return out;
}

std::string summary(dl::snapshot_manifest const& of) {
    auto const all = bytes_in(of, false);
    auto out = "snapshot " + std::to_string(of.number) + ": " + utc(of.taken_at) + ", " + plural(of.records, "record")
        + ", " + std::to_string(all) + " bytes";
    if (of.files.size() > 1) {
        out += ", " + std::to_string(all - bytes_in(of, true)) + " of them in "
            + plural(of.files.size() - 1, "earlier file");
    }
    return out + (of.ended ? ", drained\n" : "\n");
}
std::string in_full(dl::snapshot_manifest const& of) {
    auto out = summary(of) + "  job " + of.job + ", instance " + std::to_string(of.instance) + ", driftless "
        + of.library + "\n  logic version " + of.logic_version + ", pipeline " + hex(of.fingerprint) + "\n";
    if (of.failures != 0) out += "  " + plural(of.failures, "record") + " left out because a function threw\n";
    for (auto const& each : of.inputs) {
        out += "  input " + (each.name.empty() ? std::string{} : "'" + each.name + "' ") + "partition "
            + std::to_string(each.partition) + ": next offset " + std::to_string(each.offset)
            + (each.log.empty() ? "" : ", log " + each.log) + "\n";
    }
    for (auto const& each : of.operators) {
        out += "  operator " + each.text + (each.key.empty() ? "" : "  by " + each.key) + "\n";
    }
    for (auto const& member : of.members) {
        std::uint64_t size = 0;
        std::size_t parts = 0;
        std::size_t older = 0;
        for (auto const& each : member.extents) {
            size += each.size;
            parts += each.part.empty() ? 0 : 1;
            older += each.file != 0 ? 1 : 0;
        }
        out += "  state " + member.name + (member.id.empty() ? "" : " '" + member.id + "'") + ": "
            + std::to_string(size) + " bytes";
        if (parts != 0) out += ", " + plural(parts, "part") + ", " + std::to_string(older) + " of them unchanged";
        out += "\n";
    }
    for (auto const& each : of.files) out += "  file " + each + "\n";
    return out;
}

/// A job that runs may have removed it in the meantime.
bool gone(folder const& in, std::uint64_t number) {
    for (auto const each : in.store.numbers()) {
        if (each == number) return false;
    }
    return true;
}

int inspect(std::vector<std::string> const& words) {
    auto const in = open(words);
    auto status = log_tool::good;
    for (auto const n : in.numbers) {
        if (in.wanted && n != *in.wanted) continue;
        bool const full = in.wanted || n == in.numbers.back();
        try {
            auto const manifest = in.store.read(n);
            print(full ? in_full(manifest) : summary(manifest));
        } catch (dl::error const& problem) {
            if (gone(in, n)) continue;
            if (problem.code() != dl::error_code::corrupt) throw;
            print("snapshot " + std::to_string(n) + ": " + problem.what() + "\n");
            status = log_tool::problems;
        }
    }
    return status;
}

int verify(std::vector<std::string> const& words) {
    auto const in = open(words);
    std::optional<std::uint64_t> newest_good;
    std::size_t damaged = 0;
    std::size_t seen = 0;
    std::set<std::string> needed;
    for (auto const n : in.numbers) {
        if (in.wanted && n != *in.wanted) continue;
        try {
            auto const manifest = in.store.read(n);
            dl::snapshot_store::reader const all{in.store, manifest};  // looks at every byte
            ++seen;
            for (auto const& each : manifest.files) needed.insert(each);
            newest_good = n;
        } catch (dl::error const& problem) {
            if (gone(in, n)) continue;
            if (problem.code() != dl::error_code::corrupt) throw;
            print("snapshot " + std::to_string(n) + ": " + problem.what() + "\n");
            ++seen, ++damaged;
        }
    }
    if (!in.wanted && damaged == 0) {
        for (auto const& each : dl::real_files().list(in.store.folder())) {
            if (!each.name.ends_with(".state") || needed.contains(each.name)) continue;
            print("note: " + each.name + " belongs to no snapshot: one failed or is being taken\n");
        }
    }
    print(plural(seen, "snapshot") + ": " + (damaged == 0 ? "good" : std::to_string(damaged) + " damaged") + "\n");
    if (damaged != 0 && !in.wanted) {
        print(newest_good ? "a start of the job takes up snapshot " + std::to_string(*newest_good) + "\n"
                          : std::string{"a start of the job begins anew\n"});
    }
    return damaged == 0 ? log_tool::good : log_tool::problems;
}

int complain(std::string_view sentence, int status) {
    constexpr std::string_view prefix = "driftless: ";
    if (sentence.starts_with(prefix)) sentence.remove_prefix(prefix.size());
    std::cerr << "driftless-snapshot: " << sentence << '\n';
    return status;
}
int run(std::vector<std::string> words) {
    if (words.empty()) throw usage_error{"expected a command"};
    for (auto const& each : words) {
        if (each != "--help" && each != "-h" && &each != words.data()) continue;
        if (each != "--help" && each != "-h" && each != "help") continue;
        print(snapshot_tool::help);
        return log_tool::good;
    }
    auto const command = words[0];
    words.erase(words.begin());
    if (command == "inspect") return inspect(words);
    if (command == "verify") return verify(words);
    throw usage_error{"there is no command '" + command + "'"};
}
}  // namespace

int main(int argc, char** argv) {
    try {
        auto const status = run({argv + (argc > 0 ? 1 : 0), argv + argc});
        log_tool::finish_output();
        return status;
    } catch (usage_error const& problem) {
        return complain(problem.what() + std::string{"; see --help"}, log_tool::misuse);
    } catch (std::exception const& problem) {
        return complain(problem.what(), log_tool::unreadable);
    }
}
