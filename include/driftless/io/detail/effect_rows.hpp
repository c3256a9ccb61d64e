// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_EFFECT_ROWS_HPP
#define DRIFTLESS_IO_DETAIL_EFFECT_ROWS_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/compatibility.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace driftless::inline v0::detail {

/// The format of an outbox. A file begins with 16 bytes: the letters "dlfx", its version, the fingerprint of the schema
/// of the rows. Each effect is the length of its row, a checksum, its number and the row.
struct effect_rows {
    static constexpr std::string_view extension = "effects";
    static constexpr std::uint32_t magic = 0x78666c64;
    static constexpr std::uint32_t version = 1;
    static constexpr std::size_t head = 16;      // of a file
    static constexpr std::size_t row_head = 20;  // of an effect

    std::string bytes_{};

    template <class Row>
    void begin(std::string& out) {
        byte_writer to{out};
        to.put_fixed32(magic);
        to.put_fixed32(version);
        to.put_fixed64(fingerprint_of_schema<Row>());
    }
    template <class Row>
    void write(std::string& out, Row const& row, std::uint64_t number) {
        bytes_.clear();
        byte_writer{bytes_}.write(row);
        if (bytes_.size() > ~std::uint32_t{0}) {
            throw error{error_code::invalid_argument, "an effect has at most 4 GiB"};
        }
        byte_writer to{out};
        to.put_fixed32(static_cast<std::uint32_t>(bytes_.size()));
        to.put_fixed64(xxh3_64(bytes_.data(), bytes_.size(), number));
        to.put_fixed64(number);
        to.put_bytes(bytes_);
    }
};

/// Reads such a file, effect by effect.
class effect_reader {
    std::unique_ptr<file> from_;
    std::uint64_t at_ = effect_rows::head;
    std::uint64_t end_;
    std::optional<std::uint64_t> last_;  // number

public:
    struct found {
        std::uint64_t number = 0;
        std::string bytes;
    };

    effect_reader(file_system& files, std::string const& path, std::uint64_t schema)
        : from_(files.open(path, open_mode::read)) {
        if (!from_) throw error{error_code::not_there, "a file of an outbox has gone", path};
        end_ = from_->size();
        std::string const head = read(0, effect_rows::head);
        byte_reader in{head};
        if (in.get_fixed32() != effect_rows::magic) damaged(0);
        if (auto const version = in.get_fixed32(); version != effect_rows::version) {
            throw error{error_code::unsupported,
                "this file of an outbox has version " + std::to_string(version) + ", and this library reads version "
                    + std::to_string(effect_rows::version),
                path};
        }
        if (in.get_fixed64() != schema) {
            throw error{error_code::mismatch,
                "the effects in this outbox are rows of another type: let the program deliver them that wrote them",
                path};
        }
    }
    /// The next effect whose number is not less; nothing at the end.
    [[nodiscard]] std::optional<found> next(std::uint64_t least = 0) {
        while (at_ != end_) {
            auto const head = read(at_, effect_rows::row_head);
            byte_reader in{head};
            auto const size = in.get_fixed32();
            auto const sum = in.get_fixed64();
            found out;
            out.number = in.get_fixed64();
            if (last_ && out.number != *last_ + 1) damaged(at_);
            last_ = out.number;
            auto const begin = std::exchange(at_, at_ + effect_rows::row_head + size);
            if (out.number < least) continue;
            out.bytes = read(begin + effect_rows::row_head, size);
            if (xxh3_64(out.bytes.data(), out.bytes.size(), out.number) != sum) damaged(begin);
            return out;
        }
        return std::nullopt;
    }

private:
    [[nodiscard]] std::string read(std::uint64_t position, std::size_t size) {
        if (position > end_ || size > end_ - position) damaged(position);
        std::string out(size, '\0');
        if (from_->read_at(position, out.data(), size) != size) damaged(position);
        return out;
    }
    [[noreturn]] void damaged(std::uint64_t position) const {
        throw error{error_code::corrupt, "a file of an outbox is damaged: bring it back", from_->path(), position};
    }
};
}  // namespace driftless::inline v0::detail
#endif
