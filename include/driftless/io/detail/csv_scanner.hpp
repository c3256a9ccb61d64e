// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_CSV_SCANNER_HPP
#define DRIFTLESS_IO_DETAIL_CSV_SCANNER_HPP

#include <driftless/core/error.hpp>
#include <driftless/io/csv_input.hpp>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace driftless::inline v0 {
namespace detail {

/// The descriptor of an input: closed at the end if it was opened here.
class csv_descriptor {
    int fd_ = -1;
    bool owned_ = false;

public:
    csv_descriptor(int fd, bool owned) noexcept : fd_(fd), owned_(owned) {}
    csv_descriptor(csv_descriptor&& other) noexcept
        : fd_(other.fd_), owned_(std::exchange(other.owned_, false)) {}
    csv_descriptor& operator=(csv_descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(owned_, other.owned_);
        return *this;
    }
    ~csv_descriptor() {
        if (owned_) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
};

struct csv_field {
    std::size_t begin;  ///< first byte of the content, counted from the start of the record
    std::size_t end;    ///< behind the last byte of the content
    bool quoted;        ///< content stands between quotes
    bool doubled;       ///< content holds doubled quotes that are still to be undone
};

/// The first comma, line feed or quote at or after `from`: one is there, and eight bytes can be read from it on.
/// Source: the zero-byte test of H. S. Warren, "Hacker's Delight" (2012), 6-1; its lowest hit is exact.
[[nodiscard]] inline char const* csv_stop(char const* from) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
        constexpr std::uint64_t ones = 0x0101010101010101U;
        auto const zeros = [](std::uint64_t x) { return (x - ones) & ~x & (ones << 7U); };
        for (;; from += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, from, sizeof word);
            std::uint64_t const hit =
                zeros(word ^ (ones * ',')) | zeros(word ^ (ones * '\n')) | zeros(word ^ (ones * '"'));
            if (hit != 0) return from + (std::countr_zero(hit) >> 3);
        }
    }
    while (*from != ',' && *from != '\n' && *from != '"') ++from;
    return from;
}

/// Cuts bytes into records and fields; knows nothing of types and headers.
///
/// One record is whole in the buffer at a time, so that fields are views into it. Invariant: the
/// bytes [begin_, end_) are read and not yet handed over; a line feed stands at buffer_[end_] and
/// `slack` readable bytes from there on, so that csv_stop needs no bound.
class csv_scanner {
    static constexpr std::size_t slack = 8;
    csv_descriptor descriptor_;
    std::string_view memory_;
    std::string name_;
    std::vector<char> buffer_;
    std::vector<csv_field> fields_;
    std::size_t chunk_;
    std::size_t begin_ = 0;  // of the current record
    std::size_t next_ = 0;   // of the record after it
    std::size_t end_ = 0;
    std::uint64_t line_ = 1;
    std::uint64_t next_line_ = 1;
    std::uint64_t before_ = 0;  // bytes of the input that lie before buffer_[0]
    std::optional<std::uint64_t> total_;
    bool from_memory_;
    bool at_end_ = false;
    char const* flaw_ = nullptr;
    std::size_t flaw_at_ = 0;
    std::size_t flaw_field_ = 0;

    static int open(csv_input const& input) {
        if (input.from != csv_input::kind::path) return input.descriptor;
        int fd = -1;
        do fd = ::open(input.name.c_str(), O_RDONLY | O_CLOEXEC);  // NOLINT(cppcoreguidelines-pro-type-vararg)
        while (fd < 0 && errno == EINTR);
        if (fd < 0) throw error{error_code::io, "cannot open the CSV file: " + reason_of(errno), input.name};
        return fd;
    }
    static std::string reason_of(int number) { return std::strerror(number); }  // NOLINT(concurrency-mt-unsafe)

    std::size_t read_some(char* to) {
        if (from_memory_) {
            std::size_t const size = memory_.copy(to, chunk_);
            memory_.remove_prefix(size);
            return size;
        }
        ssize_t size = -1;
        do size = ::read(descriptor_.get(), to, chunk_);
        while (size < 0 && errno == EINTR);
        if (size < 0) throw error{error_code::io, "cannot read the CSV file: " + reason_of(errno), name_};
        return static_cast<std::size_t>(size);
    }

    /// Reads another chunk behind what is held of the current record; false at the end of the input.
    /// Offsets from record() stay true, addresses do not.
    bool more() {
        if (at_end_) return false;
        if (begin_ > 0) {
            std::memmove(buffer_.data(), record(), held());
            before_ += begin_;
            next_ -= begin_;  // during a scan next_ == begin_: after an error of read the record is tried again
            end_ -= begin_;
            begin_ = 0;
        }
        if (buffer_.size() < end_ + chunk_ + slack) buffer_.resize(2 * (buffer_.size() + chunk_) + slack);
        std::size_t const size = read_some(buffer_.data() + end_);
        at_end_ = size == 0;
        end_ += size;
        buffer_[end_] = '\n';
        return !at_end_;
    }

    [[nodiscard]] char* record() noexcept { return buffer_.data() + begin_; }
    [[nodiscard]] std::size_t held() const noexcept { return end_ - begin_; }
    /// True if there is a byte at this offset of the record, read if need be.
    [[nodiscard]] bool reach(std::size_t at) { return at < held() || more(); }

    void found_flaw(char const* what, std::size_t at) noexcept {
        if (flaw_ != nullptr) return;
        flaw_ = what;
        flaw_at_ = at;
        flaw_field_ = fields_.size();
    }
    bool finish(std::size_t size) noexcept {
        next_ = begin_ + size;
        next_line_ = line_ + 1;
        for (csv_field const& field : fields_)
            if (field.quoted) next_line_ += breaks(field.begin, field.end);
        return true;
    }
    [[nodiscard]] std::uint64_t breaks(std::size_t from, std::size_t to) noexcept {
        std::uint64_t count = 0;
        char const* at = record() + from;
        char const* const end = record() + to;
        while ((at = static_cast<char const*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr) {
            ++count;
            ++at;
        }
        return count;
    }

    /// Reads the quoted part of a field whose opening quote is at `at`; leaves `at` behind the closing one.
    bool quoted_part(std::size_t& at) {
        csv_field field{at + 1, at + 1, true, false};
        std::size_t const opened = at++;
        for (;;) {
            auto const* const quote = static_cast<char const*>(std::memchr(record() + at, '"', held() - at));
            if (quote == nullptr) {
                at = held();
                if (more()) continue;
                found_flaw("a quoted field is not closed before the end of the file", opened);
                field.end = at;
                fields_.push_back(field);
                return false;
            }
            at = static_cast<std::size_t>(quote - record());
            if (!reach(at + 1) || record()[at + 1] != '"') break;
            field.doubled = true;
            at += 2;
        }
        field.end = at++;
        fields_.push_back(field);
        return true;
    }

    /// Cuts the record at begin_ into fields; false if there is none.
    bool scan() {
        fields_.clear();
        flaw_ = nullptr;
        for (std::size_t at = 0;;) {  // one field a turn
            if (!reach(at)) {
                if (at == 0) return false;
                fields_.push_back({at, at, false, false});  // the file ends in a comma
                return finish(at);
            }
            bool const quoted = record()[at] == '"';
            std::size_t const begin = at;
            if (quoted) {
                if (!quoted_part(at)) return finish(at);
                if (!reach(at)) return finish(at);
                if (record()[at] == '\r' && (!reach(at + 1) || record()[at + 1] == '\n')) ++at;
                if (!reach(at)) return finish(at);
                if (record()[at] != ',' && record()[at] != '\n') {
                    found_flaw("text follows the closing quote of a field", at);
                    flaw_field_ = fields_.size() - 1;
                }
            }
            for (;;) {
                at = static_cast<std::size_t>(csv_stop(record() + at) - record());
                if (at < held() && record()[at] != '"') break;
                if (at < held()) {
                    if (!quoted) found_flaw("a quote stands inside an unquoted field", at);
                    ++at;
                } else if (!more()) {
                    break;
                }
            }
            bool const comma = at < held() && record()[at] == ',';
            if (!quoted) {
                bool const carriage = !comma && at > begin && record()[at - 1] == '\r';
                fields_.push_back({begin, carriage ? at - 1 : at, false, false});
            }
            if (!comma) return finish(at < held() ? at + 1 : at);
            ++at;
        }
    }

public:
    csv_scanner(csv_input input, std::size_t chunk)
        : descriptor_(open(input), input.from == csv_input::kind::path),
          memory_(input.bytes),
          name_(std::move(input.name)),
          chunk_(chunk < 1 ? 1 : chunk),
          from_memory_(input.from == csv_input::kind::memory) {
        if (from_memory_) {
            total_ = memory_.size();
        } else if (struct stat about{}; ::fstat(descriptor_.get(), &about) == 0 && S_ISREG(about.st_mode)) {
            auto const start = ::lseek(descriptor_.get(), 0, SEEK_CUR);
            total_ = start < about.st_size ? static_cast<std::uint64_t>(about.st_size - start) : 0;
        }
        while (held() < 3 && more()) {}
        if (held() >= 3 && std::memcmp(record(), "\xEF\xBB\xBF", 3) == 0) next_ = 3;  // byte order mark
    }

    /// Goes to the next record that is not a blank line; false at the end of the input.
    bool next() {
        for (;;) {
            begin_ = next_;
            line_ = next_line_;
            if (!scan()) return false;
            bool const blank = fields_.size() == 1 && flaw_ == nullptr && fields_[0].end == 0;
            if (!blank) return true;
        }
    }

    /// What is read and not yet handed over, for who cuts a record by itself; a line feed and more bytes stand behind.
    [[nodiscard]] std::string_view ahead() noexcept { return {buffer_.data() + next_, end_ - next_}; }
    /// So many bytes of it were a record: one line, no quotes. It has no fields here.
    void took(std::size_t size) noexcept {
        begin_ = next_;
        next_ += size;
        line_ = next_line_++;
    }

    [[nodiscard]] std::string_view raw(csv_field const& field) noexcept {
        return {record() + field.begin, field.end - field.begin};
    }
    /// The content with doubled quotes undone, in place.
    [[nodiscard]] std::string_view content(csv_field& field) noexcept {
        if (field.doubled) {
            char* to = record() + field.begin;
            char const* const end = record() + field.end;
            for (char const* at = to; at != end; at += *at == '"' ? 2 : 1) *to++ = *at;
            field.end = static_cast<std::size_t>(to - record());
            field.doubled = false;
        }
        return raw(field);
    }
    [[nodiscard]] std::vector<csv_field>& fields() noexcept { return fields_; }
    [[nodiscard]] char const* flaw() const noexcept { return flaw_; }
    [[nodiscard]] std::size_t flaw_at() const noexcept { return flaw_at_; }
    [[nodiscard]] std::size_t flaw_field() const noexcept { return flaw_field_; }
    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    [[nodiscard]] std::uint64_t line() const noexcept { return line_; }
    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return before_ + next_; }
    [[nodiscard]] std::optional<std::uint64_t> bytes_total() const noexcept { return total_; }

    /// A problem at an offset of the current record. Only while content() has not been called.
    [[nodiscard]] csv_problem problem(std::size_t at, std::string column_name, std::string reason) {
        std::uint64_t column = 1;
        std::size_t start = at;
        while (start > 0 && record()[start - 1] != '\n') --start;
        for (std::size_t i = start; i < at; ++i)
            if ((static_cast<unsigned char>(record()[i]) & 0xC0U) != 0x80U) ++column;
        return {name_, line_ + breaks(0, start), column, std::move(column_name), std::move(reason)};
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
