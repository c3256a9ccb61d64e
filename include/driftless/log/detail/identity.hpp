// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_IDENTITY_HPP
#define DRIFTLESS_LOG_DETAIL_IDENTITY_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/format.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace driftless::inline v0::detail {

/// What a log is, whatever is in it: the file `identity` in its folder, written once.
struct log_identity {
    log_id id;
    std::uint32_t partitions = 1;
    std::int64_t created = 0;

    static constexpr std::string_view file_name = "identity";
    static constexpr std::string_view magic = "DRFTLOG\x01";
    friend bool operator==(log_identity const&, log_identity const&) = default;
};

inline constexpr std::uint32_t max_partitions = 65536;

inline std::string encode(log_identity const& of) {
    std::string out{log_identity::magic};
    put(out, std::uint32_t{log_format_version});
    put(out, of.partitions);
    put(out, of.id.high);
    put(out, of.id.low);
    put(out, of.created);
    put(out, xxh3_64(out.data(), out.size()));
    return out;
}

/// Errors      corrupt or unsupported, with the path.
inline log_identity decode_identity(std::string_view bytes, std::string const& path) {
    constexpr std::size_t size = 48;
    if (bytes.size() < 12 || bytes.substr(0, 8) != log_identity::magic) {
        throw error{error_code::corrupt,
            "this is not the identity of a driftless log, or it is damaged: give another "
            "folder, or bring the file back",
            path};
    }
    auto const format = get<std::uint32_t>(bytes, 8);
    if (bytes.size() == size && format > static_cast<std::uint32_t>(log_format_version)
        && get<std::uint64_t>(bytes, size - 8) == xxh3_64(bytes.data(), size - 8)) {
        throw error{error_code::unsupported,
            "the log has format " + std::to_string(format) + ", this build reads formats up to "
                + std::to_string(log_format_version) + ": use a newer driftless",
            path};
    }
    if (bytes.size() != size) throw error{error_code::corrupt, "the identity of the log has the wrong length", path};
    auto const stored = get<std::uint64_t>(bytes, size - 8);
    auto const computed = xxh3_64(bytes.data(), size - 8);
    if (stored != computed) throw_corrupt("the identity of the log is damaged", path, stored, computed, 0);
    log_identity out{{get<std::uint64_t>(bytes, 16), get<std::uint64_t>(bytes, 24)}, get<std::uint32_t>(bytes, 12),
        get<std::int64_t>(bytes, 32)};
    if (out.partitions == 0 || out.partitions > max_partitions) {
        throw error{
            error_code::malformed, "the log says it has " + std::to_string(out.partitions) + " partitions", path};
    }
    return out;
}

inline std::optional<log_identity> read_identity(std::string const& folder, file_system& files) {
    auto const path = folder + "/" + std::string{log_identity::file_name};
    auto const bytes = read_whole_file(path, files);
    if (!bytes) return std::nullopt;
    return decode_identity(*bytes, path);
}

/// From the operating system; <random> alone would be a tenth of what the library includes.
inline log_id random_log_id() {
    log_id out;
    if (::getentropy(&out, sizeof out) != 0) throw error{error_code::io, "the system gives no random numbers"};
    return out;
}

inline std::string partition_folder(std::string const& folder, std::uint32_t partition) {
    auto const digits = std::to_string(partition);
    return folder + "/p" + std::string(5 - digits.size(), '0') + digits;
}
}  // namespace driftless::inline v0::detail
#endif
