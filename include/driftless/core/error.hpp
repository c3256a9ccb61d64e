// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_ERROR_HPP
#define DRIFTLESS_CORE_ERROR_HPP

#include <driftless/core/detail/sentence.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// What went wrong, for programs; the sentence for people is error::what().
enum class error_code : std::uint8_t {
    none,
    invalid_argument,   ///< a parameter out of its range, found when a job starts
    not_bound,          ///< a named input or sink has nothing bound to it
    user_function,      ///< a user function threw
    overflow,           ///< an exact result does not fit its type
    expectation,        ///< expect(..., fail) saw a violation
    malformed,          ///< bytes or text that cannot be decoded
    mismatch,           ///< a snapshot or a share of another pipeline
    stopped,            ///< the job has failed or ended, and was asked to go on
    io,                 ///< the operating system refused
    corrupt,            ///< bytes on disk that are not what was written
    in_use,             ///< somebody else holds the lock
    fenced,             ///< a newer writer or owner has taken over
    not_there,          ///< an offset or a log that does not exist (any more)
    unsupported,        ///< written by a newer version, or an optional part is missing
    stale,              ///< an answer older than its reader allows, or changes that a reader was too slow for
};

/// The name of a code as it appears in messages.
constexpr std::string_view to_string(error_code code) noexcept {
    constexpr std::string_view names[] = {"none", "invalid argument", "not bound", "user function", "overflow",
        "expectation", "malformed", "mismatch", "stopped", "io", "corrupt", "in use", "fenced", "not there",
        "unsupported", "stale"};
    return names[static_cast<std::size_t>(code)];
}

/// An error of the outside world or of a user function: what, where, and what to do.
///
/// Thrown by `run`, by jobs and by constructors; their `try_` twins return it in a result<T>.
class error : public std::exception {
    std::string what_;
    std::string path_;
    std::uint64_t offset_ = no_offset;
    error_code code_ = error_code::none;

public:
    static constexpr std::uint64_t no_offset = ~std::uint64_t{0};

    error() = default;
    explicit error(
        error_code code, std::string const& sentence, std::string path = {}, std::uint64_t offset = no_offset)
        : what_(detail::sentence({"driftless: ", sentence})), path_(std::move(path)), offset_(offset), code_(code) {
        if (!path_.empty()) what_ = detail::sentence({what_, " [", path_, "]"});
        if (offset_ != no_offset) what_ = detail::sentence({what_, " at offset ", offset_});
    }

    [[nodiscard]] char const* what() const noexcept override { return what_.c_str(); }
    [[nodiscard]] error_code code() const noexcept { return code_; }
    /// The file, input or operator concerned; may be empty.
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    /// The offset of the record concerned, or no_offset.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
};
}  // namespace driftless::inline v0
#endif
