// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_KEY_FILE_HPP
#define DRIFTLESS_LOG_DETAIL_KEY_FILE_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/format.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The bytes of a key store, format 1. Numbers are little-endian.
//   header: magic 8, format u32, size u32, store id 16, erasure log id 16, erasures seen u64, cipher name (u16, bytes),
//           nonce, sealed zeroes (they tell whether a master key fits), XXH3-64 of all of it
//   entry:  "DKEY", size u32, key id u64, generation u64, made i64 (ns), subject (u32, bytes), nonce, sealed key,
//           XXH3-64 of all of it, seeded with the store id
// Entries are appended; the file is replaced as a whole where one has to go.

namespace driftless::inline v0::detail {

inline constexpr std::uint32_t key_file_format = 1;
inline constexpr std::string_view key_file_magic = "DRFTKEYS";
inline constexpr std::string_view key_entry_magic = "DKEY";

struct key_file_header {
    log_id store;
    log_id erasures;
    std::uint64_t seen = 0;
    std::string cipher;
    std::string nonce;
    std::string check;
};
struct key_file_entry {
    std::uint64_t id = 0;
    std::uint64_t generation = 0;
    event_time made;
    std::string subject;
    std::string nonce;
    std::string sealed;
};

inline std::string encode(key_file_header const& header) {
    std::string out{key_file_magic};
    put(out, key_file_format);
    auto const sizes = header.cipher.size() + header.nonce.size() + header.check.size();
    auto const size = 8 + 4 + 4 + 16 + 16 + 8 + 2 + sizes + 8;
    put(out, static_cast<std::uint32_t>(size));
    for (auto const n : {header.store.high, header.store.low, header.erasures.high, header.erasures.low, header.seen})
        put(out, n);
    put(out, static_cast<std::uint16_t>(header.cipher.size()));
    ((out += header.cipher) += header.nonce) += header.check;
    put(out, xxh3_64(out.data(), out.size()));
    return out;
}
inline std::string encode(key_file_entry const& entry, log_id const& store) {
    std::string out{key_entry_magic};
    auto const size = 4 + 4 + 8 + 8 + 8 + 4 + entry.subject.size() + entry.nonce.size() + entry.sealed.size() + 8;
    put(out, static_cast<std::uint32_t>(size));
    put(out, entry.id);
    put(out, entry.generation);
    put(out, entry.made.ns());
    put(out, static_cast<std::uint32_t>(entry.subject.size()));
    ((out += entry.subject) += entry.nonce) += entry.sealed;
    put(out, xxh3_64(out.data(), out.size(), store.high));
    return out;
}

/// What a key file holds.
struct key_file {
    key_file_header header;
    std::vector<key_file_entry> entries;
    std::size_t whole = 0;  // bytes; what is behind them was not finished

    /// nonce, sealed   sizes in bytes of an entry's parts
    /// Errors      corrupt, unsupported, mismatch (another cipher), with the path.
    static key_file read(std::string_view bytes, std::string const& path, std::string_view cipher, std::size_t nonce,
        std::size_t sealed) {
        constexpr std::size_t fixed = 8 + 4 + 4 + 16 + 16 + 8 + 2;
        if (bytes.size() < fixed || !bytes.starts_with(key_file_magic)) {
            throw error{error_code::corrupt,
                "this is no key store, or its beginning is damaged: bring it back from a backup", path};
        }
        auto const format = get<std::uint32_t>(bytes, 8);
        if (format == 0 || format > key_file_format) {
            throw error{error_code::unsupported,
                "the key store has format " + std::to_string(format) + ", this build reads formats up to "
                    + std::to_string(key_file_format) + ": use a newer driftless",
                path};
        }
        std::size_t const size = get<std::uint32_t>(bytes, 12);
        if (size < fixed + 8 || size > bytes.size()) damaged("its header has another size than it says", path, 0);
        if (get<std::uint64_t>(bytes, size - 8) != xxh3_64(bytes.data(), size - 8)) {
            damaged("the checksum of its header does not fit", path, 0);
        }
        key_file out;
        auto& header = out.header;
        header.store = {get<std::uint64_t>(bytes, 16), get<std::uint64_t>(bytes, 24)};
        header.erasures = {get<std::uint64_t>(bytes, 32), get<std::uint64_t>(bytes, 40)};
        header.seen = get<std::uint64_t>(bytes, 48);
        std::size_t const name = get<std::uint16_t>(bytes, 56);
        header.cipher = bytes.substr(fixed, name);
        if (header.cipher != cipher || size != fixed + name + nonce + sealed + 8) {
            throw error{error_code::mismatch,
                "the key store is sealed with the cipher " + header.cipher + ", and is opened with "
                    + std::string{cipher} + ": open it with that one",
                path};
        }
        header.nonce = bytes.substr(fixed + name, nonce);
        header.check = bytes.substr(fixed + name + nonce, sealed);
        out.whole = size;
        while (out.take(bytes, nonce, sealed)) {}
        // An append that was cut short leaves no whole entry behind it.
        for (auto at = bytes.find(key_entry_magic, out.whole + 1); at < bytes.size();
            at = bytes.find(key_entry_magic, at + 1)) {
            key_file_entry behind;
            if (entry_at(bytes, at, header.store, nonce, sealed, behind) != 0) {
                damaged("an entry is damaged, and others follow it", path, out.whole);
            }
        }
        return out;
    }

private:
    [[noreturn]] static void damaged(std::string const& what, std::string const& path, std::size_t at) {
        throw error{error_code::corrupt,
            "the key store is damaged at byte " + std::to_string(at) + ": " + what
                + "; bring it back from a backup, what was erased since stays erased",
            path};
    }
    /// The size of the entry that begins there; 0 if none does.
    static std::size_t entry_at(std::string_view bytes, std::size_t at, log_id const& store, std::size_t nonce,
        std::size_t sealed, key_file_entry& out) {
        constexpr std::size_t fixed = 4 + 4 + 8 + 8 + 8 + 4;
        auto const rest = bytes.substr(at);
        if (rest.size() < fixed + nonce + sealed + 8 || !rest.starts_with(key_entry_magic)) return 0;
        std::size_t const size = get<std::uint32_t>(rest, 4);
        std::size_t const subject = get<std::uint32_t>(rest, 32);
        if (size > rest.size() || size != fixed + subject + nonce + sealed + 8) return 0;
        if (get<std::uint64_t>(rest, size - 8) != xxh3_64(rest.data(), size - 8, store.high)) return 0;
        out.id = get<std::uint64_t>(rest, 8);
        out.generation = get<std::uint64_t>(rest, 16);
        out.made = event_time{get<std::int64_t>(rest, 24)};
        out.subject = rest.substr(fixed, subject);
        out.nonce = rest.substr(fixed + subject, nonce);
        out.sealed = rest.substr(fixed + subject + nonce, sealed);
        return size;
    }
    bool take(std::string_view bytes, std::size_t nonce, std::size_t sealed) {
        key_file_entry next;
        auto const size = entry_at(bytes, whole, header.store, nonce, sealed, next);
        if (size == 0) return false;
        entries.push_back(std::move(next));
        whole += size;
        return true;
    }
};
}  // namespace driftless::inline v0::detail
#endif
