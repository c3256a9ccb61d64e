// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_PROGRESS_HPP
#define DRIFTLESS_LOG_DETAIL_PROGRESS_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/log/detail/format.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0::detail {

/// What the writer of a log tells other processes beside its records: the file `progress`, a table of numbers that are
/// written in place and never synced. The first is the epoch of the writer, which fences off an older one; then one for
/// each partition, the offset up to which records are durable. A number whose check does not fit says nothing.
///
/// Errors      io; fenced where a newer writer has taken over.
/// Threads     Any number.
class progress {
    struct number {
        std::uint64_t value;
        std::uint64_t check;
    };
    static_assert(sizeof(number) == 16);

    std::unique_ptr<file> file_;
    log_id id_;
    std::uint64_t epoch_ = 0;

public:
    static constexpr std::string_view file_name = "progress";
    static constexpr std::size_t size_of(std::uint32_t partitions) noexcept {
        return (std::size_t{partitions} + 1) * sizeof(number);
    }

    progress() = default;
    /// To read; says nothing if there is no such file.
    progress(file_system& files, std::string const& folder, log_id id)
        : file_(files.open(path_in(folder), open_mode::read)), id_(id) {}
    /// To write, as the newest writer.
    progress(file_system& files, std::string const& folder, log_id id, std::uint32_t partitions)
        : file_(files.open(path_in(folder), open_mode::create)), id_(id) {
        epoch_ = value(0).value_or(0) + 1;
        if (file_->size() != size_of(partitions)) file_->truncate(size_of(partitions));
        set(0, epoch_);
    }

    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
    void require_newest(std::string const& folder) const {
        if (value(0).value_or(0) <= epoch_) return;
        throw error{error_code::fenced,
            "another writer has taken over the log: end this one; what it appended since may not be in the log",
            folder};
    }
    void set_durable(std::uint32_t partition, std::uint64_t offset) { set(partition + 1, offset); }
    [[nodiscard]] std::optional<std::uint64_t> durable(std::uint32_t partition) const { return value(partition + 1); }

    /// The number at that place of the whole file's bytes; nothing if its check does not fit.
    static std::optional<std::uint64_t> number_at(std::string_view bytes, std::size_t index, log_id id) noexcept {
        if (bytes.size() < (index + 1) * sizeof(number)) return std::nullopt;
        return checked(get<number>(bytes, index * sizeof(number)), index, id);
    }

private:
    static std::string path_in(std::string const& folder) { return folder + "/" + std::string{file_name}; }
    static std::uint64_t check_of(std::uint64_t value, std::size_t index, log_id id) noexcept {
        std::uint64_t const parts[] = {value, index, id.high, id.low};
        return xxh3_64(parts, sizeof parts);
    }
    static std::optional<std::uint64_t> checked(number const& read, std::size_t index, log_id id) noexcept {
        if (read.check != check_of(read.value, index, id)) return std::nullopt;
        return read.value;
    }
    [[nodiscard]] std::optional<std::uint64_t> value(std::size_t index) const {
        if (!file_) return std::nullopt;
        number read;
        char bytes[sizeof read];
        for (int i = 0; i < 8; ++i) {  // again where the writer was in the middle of it
            if (file_->read_at(index * sizeof read, bytes, sizeof bytes) < sizeof bytes) return std::nullopt;
            std::memcpy(&read, bytes, sizeof bytes);
            if (auto const found = checked(read, index, id_)) return found;
        }
        return std::nullopt;
    }
    void set(std::size_t index, std::uint64_t value) {
        number const out{value, check_of(value, index, id_)};
        char bytes[sizeof out];
        std::memcpy(bytes, &out, sizeof out);
        file_->write_at(index * sizeof out, std::string_view{bytes, sizeof bytes});
    }
};
}  // namespace driftless::inline v0::detail
#endif
