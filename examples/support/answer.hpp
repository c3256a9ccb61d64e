// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_ANSWER_HPP
#define EXAMPLES_SUPPORT_ANSWER_HPP

#include <driftless/driftless.hpp>
#include <driftless/io/csv_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace support {
namespace dl = driftless;

enum class mode : std::uint8_t {
    batch,
    stream,
    restarted  // a stream that is stopped halfway; another job goes on from its snapshot
};

/// Runs queries in one of the modes: nothing else in these programs knows which.
class query_runner {
    mode mode_;
    int threads_;
    std::uint64_t halfway_;

public:
    /// `records` is how many the inputs have together.
    query_runner(mode how, int threads, std::uint64_t records)
        : mode_(how), threads_(threads), halfway_(records / 2) {}

    template <class Query, class... Inputs>
    auto operator()(Query const& query, Inputs const&... inputs) const {
        dl::stream const streaming{.threads = threads_, .until = dl::drained};
        if (mode_ == mode::batch) return dl::run(dl::batch{.threads = threads_}, query, inputs...);
        if (mode_ == mode::stream) return dl::run(streaming, query, inputs...);

        decltype(dl::run(streaming, query, inputs...)) rows;
        auto const start = [&] { return dl::job{dl::stream{.threads = threads_}, query, inputs..., rows}; };
        std::string state;
        {
            auto first = start();
            first.poll(static_cast<std::size_t>(halfway_));
            state = first.snapshot();
        }
        auto second = start();
        second.restore(state);
        second.drain();
        rows.settle(second.metrics());
        return rows;
    }
};

/// The rows of a query as lines of CSV, in the order of their bytes.
class answer {
    std::string header_;
    std::vector<std::string> lines_;

public:
    explicit answer(std::string_view header) : header_(header) {}

    template <class... Fields>
    void add(Fields const&... fields) {
        dl::csv_writer{lines_.emplace_back()}.write_row(fields...);
    }
    [[nodiscard]] std::size_t size() const { return lines_.size(); }
    [[nodiscard]] std::string str() {
        std::sort(lines_.begin(), lines_.end());
        std::string out = header_ + '\n';
        for (auto const& line : lines_) out += line;
        return out;
    }
};

/// 1234 with two places is 12.34.
inline std::string decimal(std::int64_t units, int places) {
    bool const negative = units < 0;
    auto digits = std::to_string(negative ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units));
    auto const behind = static_cast<std::size_t>(places);
    if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
    digits.insert(digits.size() - behind, ".");
    return negative ? '-' + digits : digits;
}

/// A fraction, written down as on paper: the whole part, then place by place. Needs 0 < of < 10^18.
class long_division {
    bool negative_;
    std::uint64_t rest_, of_;
    std::string digits_;

public:
    long_division(std::int64_t sum, std::int64_t of)
        : negative_(sum < 0),
          rest_(negative_ ? 0 - static_cast<std::uint64_t>(sum) : static_cast<std::uint64_t>(sum)),
          of_(static_cast<std::uint64_t>(of)),
          digits_(std::to_string(rest_ / of_)) {
        rest_ %= of_;
    }
    [[nodiscard]] bool exact() const { return rest_ == 0; }
    void point() { digits_ += '.'; }
    void place() {
        digits_ += static_cast<char>('0' + rest_ * 10 / of_);
        rest_ = rest_ * 10 % of_;
    }
    /// A half is rounded away from zero.
    void round() {
        if (2 * rest_ < of_) return;
        for (auto at = digits_.rbegin(); at != digits_.rend(); ++at) {
            if (*at == '.') continue;
            if (*at != '9') {
                ++*at;
                return;
            }
            *at = '0';
        }
        digits_.insert(0, 1, '1');
    }
    [[nodiscard]] std::string str() const {
        bool const zero = digits_.find_first_not_of("0.") == std::string::npos;
        return negative_ && !zero ? '-' + digits_ : digits_;
    }
};

/// sum / count, rounded to this many places; a half is rounded away from zero.
inline std::string average(std::int64_t sum, std::int64_t count, int places) {
    long_division out{sum, count};
    out.point();
    for (int i = 0; i < places; ++i) out.place();
    out.round();
    return out.str();
}
/// sum / count to twenty places, without zeros at the end.
inline std::string quotient(std::int64_t sum, std::int64_t count) {
    long_division out{sum, count};
    if (!out.exact()) out.point();
    for (int i = 0; i < 20 && !out.exact(); ++i) out.place();
    return out.str();
}
}  // namespace support
#endif
