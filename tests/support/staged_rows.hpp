// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTS_SUPPORT_STAGED_ROWS_HPP
#define DRIFTLESS_TESTS_SUPPORT_STAGED_ROWS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

namespace test {

/// The smallest sink of two phases, as a model: a row is a line. A transaction waits in the file
/// staged-INSTANCE-NUMBER; `committed` begins with the number of the last one and is replaced as a whole.
class staged_rows {
    driftless::file_system& files_;
    std::string folder_;
    driftless::sink_position at_;
    std::string rows_;
    std::string shown_;
    std::uint64_t committed_ = 0;

public:
    staged_rows(driftless::file_system& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

    template <class K, class... V>
    void write(driftless::pane<K, std::tuple<V...>> const& row) {
        rows_ += std::string_view{row.key};
        rows_ += ' ' + std::to_string(row.window.start.ms());
        std::apply([&](auto const&... value) { ((rows_ += ' ' + std::to_string(value)), ...); }, row.value);
        rows_ += '\n';
    }
    template <class K>
    void remove(K const& key, driftless::time_window window) {
        rows_ += std::string_view{key};
        rows_ += ' ' + std::to_string(window.start.ms()) + " removed\n";
    }

    void recover(driftless::sink_position const& at) {
        files_.make_folder(folder_);
        at_ = at;
        load();
        if (committed_ > at.snapshot) {
            throw driftless::error{driftless::error_code::mismatch, "the sink is ahead of the snapshots", folder_};
        }
        commit_staged(at.snapshot, at.taken_by);
        for (auto const& each : files_.list(folder_)) {
            if (each.name.starts_with("staged-")) files_.remove(folder_ + "/" + each.name);
        }
    }
    void prepare(std::uint64_t n) {
        driftless::write_whole_file(folder_, name(at_.instance, n), rows_, files_);
        rows_.clear();
    }
    void commit(std::uint64_t n) { commit_staged(n, at_.instance); }
    [[nodiscard]] std::uint64_t committed() const { return committed_; }

    /// What readers see.
    [[nodiscard]] std::string shown() {
        load();
        return shown_;
    }

private:
    static std::string name(std::uint64_t instance, std::uint64_t n) {
        auto const padded = [](std::uint64_t v) { return std::to_string(1'000'000 + v); };
        return "staged-" + padded(instance) + "-" + padded(n);
    }
    void load() {
        auto const bytes = driftless::read_whole_file(folder_ + "/committed", files_);
        if (!bytes) return;
        committed_ = std::stoull(*bytes);
        shown_ = bytes->substr(bytes->find('\n') + 1);
    }
    void commit_staged(std::uint64_t n, std::uint64_t instance) {
        for (auto const& each : files_.list(folder_)) {
            if (!each.name.starts_with("staged-") || each.name > name(instance, n)) continue;
            if (!each.name.starts_with(name(instance, 0).substr(0, 14))) continue;
            auto const number = std::stoull(each.name.substr(15)) - 1'000'000;
            auto const path = folder_ + "/" + each.name;
            if (number > committed_) {
                shown_ += *driftless::read_whole_file(path, files_);
                committed_ = number;
                driftless::write_whole_file(folder_, "committed", std::to_string(number) + "\n" + shown_, files_);
            }
            files_.remove(path);
        }
    }
};
static_assert(driftless::transactional_sink<staged_rows>);
}  // namespace test
#endif
