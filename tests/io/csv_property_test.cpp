// SPDX-License-Identifier: BSL-1.0
// Properties of csv_reader and csv_writer, and the oracle they are held against. Apart from csv_test.cpp for the sake
// of compile time.
#include <driftless/io/csv.hpp>

#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace driftless;

namespace csv_property_test {
struct pair_row {
    std::string a;
    std::string b;
};
struct everything {
    std::int64_t big;
    std::uint16_t small;
    double real;
    float single;
    bool flag;
    text borrowed;
    std::string owned;
    event_time at;
    duration wait_ms;
    std::optional<std::int8_t> maybe;
    std::optional<std::string> remark;
    std::optional<event_time> seen;
    bool operator==(everything const&) const = default;
};
}  // namespace csv_property_test
BOOST_HANA_ADAPT_STRUCT(csv_property_test::pair_row, a, b);
BOOST_HANA_ADAPT_STRUCT(csv_property_test::everything, big, small, real, single, flag, borrowed, owned, at, wait_ms,
    maybe, remark, seen);

namespace csv_property_test {
namespace {
/// The oracle: one character after the other over the whole file; a record is its fields, or flawed.
struct oracle_record {
    std::vector<std::string> fields;
    bool flawed = false;
    std::uint64_t line = 0;
};
std::vector<oracle_record> oracle(std::string_view s) {
    std::vector<oracle_record> records;
    if (s.starts_with("\xEF\xBB\xBF")) s.remove_prefix(3);
    std::size_t i = 0;
    std::uint64_t line = 1;
    while (i < s.size()) {
        oracle_record record;
        record.line = line;
        std::size_t const start = i;
        for (bool done = false; !done;) {
            std::string field;
            bool const quoted = i < s.size() && s[i] == '"';
            if (quoted) {
                for (++i;; ++i) {
                    if (i == s.size()) {
                        record.flawed = true;
                        break;
                    }
                    if (s[i] == '\n') ++line;
                    if (s[i] == '"') {
                        if (i + 1 < s.size() && s[i + 1] == '"')
                            ++i;
                        else
                            break;
                    }
                    field += s[i];
                }
                if (i < s.size()) ++i;
            }
            std::string tail;
            while (i < s.size() && s[i] != ',' && s[i] != '\n') tail += s[i++];
            bool const comma = i < s.size() && s[i] == ',';
            if (!comma && tail.ends_with('\r')) tail.pop_back();
            if (quoted ? !tail.empty() : tail.find('"') != std::string::npos) record.flawed = true;
            record.fields.push_back(quoted ? field : tail);
            done = !comma;
            if (comma) ++i;
        }
        std::string_view const source = s.substr(start, i - start);
        if (i < s.size()) ++i;
        ++line;
        if (source.empty() || source == "\r") continue;
        records.push_back(std::move(record));
    }
    return records;
}
/// Reader and oracle agree on the rows, their lines and the number of problems, or on refusing the header.
bool agrees_with_oracle(std::string const& bytes, std::size_t chunk) {
    auto const expected = oracle(bytes);
    std::vector<std::size_t> a;
    std::vector<std::size_t> b;
    if (!expected.empty() && !expected[0].flawed)
        for (std::size_t i = 0; i < expected[0].fields.size(); ++i) {
            if (expected[0].fields[i] == "a") a.push_back(i);
            if (expected[0].fields[i] == "b") b.push_back(i);
        }
    auto opened = csv_reader<pair_row>::try_open(csv_input::memory(bytes), {.chunk_bytes = chunk});
    if (!opened || a.size() != 1 || b.size() != 1) return !opened && (a.size() != 1 || b.size() != 1);
    std::uint64_t problems = 0;
    pair_row row;
    for (std::size_t i = 1; i < expected.size(); ++i) {
        auto const& [fields, flawed, line] = expected[i];
        if (flawed || fields.size() != expected[0].fields.size()) {
            ++problems;
            continue;
        }
        if (!opened->next(row)) return false;
        if (row.a != fields[a[0]] || row.b != fields[b[0]] || opened->line() != line) return false;
    }
    return !opened->next(row) && !opened->next(row) && opened->problems() == problems
        && opened->bytes_read() == bytes.size();
}
}  // namespace

TEST_CASE("a tricky file cut off at any byte reads as the oracle says, for any chunk", "[io][csv]") {
    std::string const bytes =
        "\xEF\xBB\xBF"
        "a,b\r\n1,\"x\"\"y\"\r\n\n\"l1\nl2\",\"\"\r\n,z\"q,\n\"a\"b,c\n3,4,5\n\"\",6\r\n7,\"8";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        for (std::size_t chunk = 1; chunk <= 12; ++chunk) {
            INFO("cut " << cut << " chunk " << chunk);
            CHECK(agrees_with_oracle(bytes.substr(0, cut), chunk));
        }
}

TEST_CASE("any bytes in any chunks read as the oracle says", "[io][csv][property]") {
    property(
        "reader = oracle",
        [] {
            auto const body = *rc::gen::container<std::string>(
                // '-', '\x0B' and '#' differ from a comma, a line feed and a quote in the last bit only
                rc::gen::element('a', 'b', ',', ',', '"', '"', '\n', '\n', '\r', '\0', '\xC3', '-', '\x0B', '#'));
            auto const chunk = *rc::gen::inRange<std::size_t>(1, 40);
            RC_ASSERT(agrees_with_oracle("a,b\n" + body, chunk));
            RC_ASSERT(agrees_with_oracle(body, chunk));
        },
        1000);
}

TEST_CASE("what csv_writer writes reads back equal, for any chunk", "[io][csv][property]") {
    property(
        "write, read",
        [] {
            auto const letters = *rc::gen::container<std::string>(
                rc::gen::element(';', 'a', ',', '"', ';', '\n', '\r', '\0', ' ', '\xC3', '\xA4'));
            auto const chunk = *rc::gen::inRange<std::size_t>(1, 200);
            std::vector<std::string> words{""};  // what stands between the semicolons
            for (char const c : letters)
                if (c == ';')
                    words.emplace_back();
                else
                    words.back() += c;
            std::mt19937_64 random{letters.size() * 200 + chunk};
            std::vector<everything> in;
            for (std::size_t i = 0; i < words.size(); ++i) {
                auto const n = static_cast<std::int64_t>(random());
                bool const odd = (n & 1) != 0;
                double const real = static_cast<double>(n) / (odd ? 3.0e25 : 7.0);
                std::string const& other = words[(i + 1) % words.size()];
                in.push_back({n, static_cast<std::uint16_t>(n), real, static_cast<float>(real), odd, text{words[i]},
                    other, event_time::from_ms(n / 4'000'000), duration{n / 2'000'000 * 1'000'000},
                    odd ? std::optional{static_cast<std::int8_t>(n)} : std::nullopt,
                    other.empty() ? std::nullopt : std::optional{other},
                    odd ? std::nullopt : std::optional{event_time::from_ms(n / 8'000'000)}});
            }
            std::string file;
            csv_writer out{file};
            out.write_header<everything>();
            for (everything const& row : in) out.write(row);

            csv_reader<everything> reader{csv_input::memory(file), {.strict = true, .chunk_bytes = chunk}};
            everything row{};
            for (everything const& wanted : in) RC_ASSERT((reader.next(row) && row == wanted));
            RC_ASSERT(!reader.next(row));
        },
        200);
}
}  // namespace csv_property_test
