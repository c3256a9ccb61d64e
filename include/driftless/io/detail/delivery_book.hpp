// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_DELIVERY_BOOK_HPP
#define DRIFTLESS_IO_DETAIL_DELIVERY_BOOK_HPP

#include <boost/hana/adapt_struct.hpp>
#include <boost/hana/define_struct.hpp>

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// An effect that was tried and is not settled, or that is dead.
struct unsettled_effect {
    BOOST_HANA_DEFINE_STRUCT(unsettled_effect, (std::uint64_t, number), (std::uint32_t, attempts),
        (driftless::event_time, due), (bool, begun), (std::string, reason), (std::string, bytes));
};
/// How far an outbox has come: all effects before `next` are settled, dead or among those that wait.
struct delivery_progress {
    BOOST_HANA_DEFINE_STRUCT(delivery_progress, (std::uint64_t, next), (std::uint64_t, delivered),
        (std::vector<driftless::detail::unsettled_effect>, waiting));
};

/// What an outbox knows, in files of the folder `.outbox` beside the effects: its progress, and its dead letters. Each
/// is replaced as a whole. An effect that dies is written to the dead first: in both files it counts as dead.
class delivery_book {
    file_system& files_;
    std::string folder_;
    std::string owner_;
    std::unique_ptr<file> lock_;

public:
    delivery_progress now{};
    std::vector<unsettled_effect> dead{};

    delivery_book(file_system& files, std::string const& outbox, std::string owner)
        : files_(files), folder_(outbox + "/.outbox"), owner_(std::move(owner)) {
        if (files_.make_folder(folder_)) files_.sync_folder(outbox);
        lock_ = files_.open(folder_ + "/" + owner_ + ".lock", open_mode::create);
        if (!lock_->try_lock(false)) {
            throw error{error_code::in_use,
                "another process, or another object in this one, delivers from this outbox: end it first", folder_};
        }
        read(".progress", now);
        read(".dead", dead);
        for (auto const& each : dead) forget(each.number);
    }
    void save() { write(".progress", now); }
    void save_dead() { write(".dead", dead); }
    [[nodiscard]] bool is_dead(std::uint64_t number) const noexcept {
        for (auto const& each : dead) {
            if (each.number == number) return true;
        }
        return false;
    }
    /// Takes it out of those that wait.
    void forget(std::uint64_t number) {
        for (std::size_t i = 0; i < now.waiting.size(); ++i) {
            if (now.waiting[i].number != number) continue;
            now.waiting.erase(now.waiting.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
    }

private:
    static constexpr std::uint32_t version = 1;

    [[nodiscard]] std::string name(char const* ending) const { return owner_ + ending; }
    template <class T>
    void read(char const* ending, T& into) {
        auto const path = folder_ + "/" + name(ending);
        auto const bytes = read_whole_file(path, files_);
        if (!bytes) return;
        try {
            byte_reader in{*bytes};
            auto const found = in.get_fixed32();
            auto const sum = in.get_fixed64();
            auto const body = in.get_bytes(in.remaining());
            if (found > version) {
                throw error{error_code::unsupported, "the progress of this outbox is of a newer version", path};
            }
            if (xxh3_64(body.data(), body.size(), found) != sum) in.fail("another checksum");
            byte_reader{body}.read(into).expect_end();
        } catch (error const& problem) {
            if (problem.code() != error_code::malformed) throw;
            throw error{error_code::corrupt,
                "what an outbox has written down of its progress is damaged: bring it back, or remove it, and what "
                "lies in the outbox is delivered again",
                path};
        }
    }
    template <class T>
    void write(char const* ending, T const& from) {
        std::string body;
        byte_writer{body}.write(from);
        std::string bytes;
        byte_writer out{bytes};
        out.put_fixed32(version);
        out.put_fixed64(xxh3_64(body.data(), body.size(), version));
        out.put_bytes(body);
        write_whole_file(folder_, name(ending), bytes, files_);
    }
};
}  // namespace driftless::inline v0::detail
#endif
