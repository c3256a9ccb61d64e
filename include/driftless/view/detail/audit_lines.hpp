// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_AUDIT_LINES_HPP
#define DRIFTLESS_VIEW_DETAIL_AUDIT_LINES_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/view/audit_entry.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

// An audit log as text: a line for each entry, its columns between tabs, the last one the checksum of the others seeded
// with that of the line before. Beside it the head, which says how far the log is complete.

namespace driftless::inline v0::detail {
inline constexpr std::string_view audit_heading = "driftless audit 1\n";

inline std::string audit_hex(std::uint64_t n) {
    std::string out(16, '0');
    for (std::size_t i = 16; i-- > 0; n >>= 4U) out[i] = "0123456789abcdef"[n & 15U];
    return out;
}
template <class Int>
bool audit_number(std::string_view text, Int& out, int base = 10) {
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out, base);
    return problem == std::errc{} && end == text.data() + text.size();
}

/// Tabs and ends of lines are written as \t, \n and \r, a backslash as two.
inline void put_audit_text(std::string& out, std::string_view text) {
    for (char const c : text) {
        if (c == '\\') out += "\\\\";
        else if (c == '\t') out += "\\t";
        else if (c == '\n') out += "\\n";
        else if (c == '\r') out += "\\r";
        else out += c;
    }
}
inline std::string get_audit_text(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        char const c = text[++i];
        out += c == 't' ? '\t' : c == 'n' ? '\n'
            : c == 'r'                    ? '\r'
                                          : c;
    }
    return out;
}

/// Puts the checksum into the entry, and returns its line with the end of it.
inline std::string audit_line(audit_entry& entry, std::uint64_t before) {
    auto line = std::to_string(entry.number) + '\t' + plan_text(entry.at) + '\t' + std::to_string(entry.at.ns()) + '\t';
    line += to_string(entry.kind);
    for (auto const* const each : {&entry.version, &entry.who, &entry.why, &entry.verdict}) {
        line += '\t';
        put_audit_text(line, *each);
    }
    entry.checksum = xxh3_64(line.data(), line.size(), before);
    return line += '\t' + audit_hex(entry.checksum) + '\n';
}

/// The entry of a line without its end.
///
/// Errors      corrupt, with the place of the line.
inline audit_entry read_audit_line(std::string_view line, std::uint64_t number, std::uint64_t before,
    std::string const& path, std::uint64_t offset) {
    auto const damaged = [&](std::string_view what) {
        throw error{error_code::corrupt, sentence({"the audit log is damaged at entry ", number, ": ", what}), path,
            offset};
    };
    std::array<std::string_view, 9> columns;
    std::size_t count = 0;
    for (std::string_view rest = line;; ++count) {
        if (count == columns.size()) damaged("the line has too many columns");
        auto const tab = rest.find('\t');
        columns[count] = rest.substr(0, tab);
        if (tab == std::string_view::npos) break;
        rest.remove_prefix(tab + 1);
    }
    audit_entry out;
    std::int64_t ns = 0;
    if (count + 1 != columns.size()) damaged("the line has too few columns");
    auto const kind = audit_kind_of(columns[3]);
    if (!audit_number(columns[0], out.number) || !audit_number(columns[2], ns) || !kind
        || !audit_number(columns[8], out.checksum, 16)) {
        damaged("the line has a number or a kind that cannot be read");
    }
    if (out.number != number) damaged(sentence({"the line here is that of entry ", out.number}));
    auto const sum = xxh3_64(line.data(), line.size() - columns[8].size() - 1, before);
    if (sum != out.checksum || columns[8] != audit_hex(sum)) {
        damaged("its checksum is " + audit_hex(sum) + " and should be " + std::string{columns[8]}
            + ": the line, or one before it, has been changed or removed");
    }
    out.at = event_time{ns};
    out.kind = *kind;
    out.version = get_audit_text(columns[4]);
    out.who = get_audit_text(columns[5]);
    out.why = get_audit_text(columns[6]);
    out.verdict = get_audit_text(columns[7]);
    return out;
}

inline std::string audit_head_text(audit_head const& head) {
    auto text = std::string{audit_heading} + std::to_string(head.entries) + ' ' + std::to_string(head.bytes) + ' '
        + audit_hex(head.checksum) + '\n';
    return text += audit_hex(xxh3_64(text.data(), text.size())) + '\n';
}
/// Errors      corrupt, unsupported.
inline audit_head read_audit_head(std::string_view text, std::string const& path) {
    if (!text.starts_with(audit_heading)) {
        if (text.starts_with("driftless audit ")) {
            throw error{error_code::unsupported, "this audit log has a newer format: use a newer driftless", path};
        }
        throw error{error_code::corrupt, "this is not the head of an audit log, or its beginning is damaged", path};
    }
    auto const end = text.find('\n', audit_heading.size());
    audit_head out;
    bool good = end != std::string_view::npos
        && text.substr(end + 1) == audit_hex(xxh3_64(text.data(), end + 1)) + '\n';
    if (good) {
        auto line = text.substr(audit_heading.size(), end - audit_heading.size());
        auto const next = [&line] {
            auto const space = line.find(' ');
            auto const word = line.substr(0, space);
            line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
            return word;
        };
        good = audit_number(next(), out.entries) && audit_number(next(), out.bytes)
            && audit_number(next(), out.checksum, 16);
    }
    if (good) return out;
    throw error{error_code::corrupt, "the head of the audit log is damaged: its checksum does not fit", path};
}
}  // namespace driftless::inline v0::detail
#endif
