// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/csv.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

using namespace driftless;

namespace csv_test {
struct pair_row {
    std::string a;
    std::string b;
    bool operator==(pair_row const&) const = default;
};
struct line {
    std::int64_t seq;
    text stock;
    std::int32_t quantity;
    event_time at;
};
struct numbers {
    std::int64_t a;
    std::int32_t b;
    std::uint64_t c;
    std::uint8_t d;
    event_time e;
    bool operator==(numbers const&) const = default;
};
struct ticket {
    std::uint8_t small;
    double price;
    bool paid;
    duration wait;
    std::optional<std::int32_t> seat;
    std::optional<text> note;
};
struct one_column {
    std::optional<std::string> word;
};
struct invoice_line {
    std::int64_t seq;
    text invoice_no;
    text stock_code;
    text description;
    std::int64_t quantity;
    event_time at;
    std::int64_t unit_price_pence;
    std::optional<std::int64_t> customer_id;
    text country;
};
struct access {
    std::int64_t seq;
    event_time ts;
    text path;
    std::int32_t status;
    std::int64_t bytes;
    std::optional<std::string> user_agent;
};
struct not_listed {
    int listed;
    int hidden;
};
}  // namespace csv_test
BOOST_HANA_ADAPT_STRUCT(csv_test::pair_row, a, b);
BOOST_HANA_ADAPT_STRUCT(csv_test::line, seq, stock, quantity, at);
BOOST_HANA_ADAPT_STRUCT(csv_test::numbers, a, b, c, d, e);
BOOST_HANA_ADAPT_STRUCT(csv_test::ticket, small, price, paid, wait, seat, note);
BOOST_HANA_ADAPT_STRUCT(csv_test::one_column, word);
BOOST_HANA_ADAPT_STRUCT(csv_test::invoice_line, seq, invoice_no, stock_code, description, quantity, at,
    unit_price_pence, customer_id, country);
BOOST_HANA_ADAPT_STRUCT(csv_test::access, seq, ts, path, status, bytes, user_agent);
BOOST_HANA_ADAPT_STRUCT(csv_test::not_listed, listed);

namespace csv_test {
namespace {
struct outcome {
    std::vector<pair_row> rows;
    std::vector<std::string> problems;
};
/// Reads two text columns a and b.
outcome read_pairs(std::string_view bytes, std::size_t chunk = 1 << 16) {
    outcome seen;
    csv_reader<pair_row> reader{csv_input::memory(bytes, "f.csv"),
        {.on_problem = [&](csv_problem const& p) { seen.problems.push_back(p.sentence()); },
            .chunk_bytes = chunk}};
    pair_row row;
    while (reader.next(row)) seen.rows.push_back(row);
    CHECK(reader.rows() == seen.rows.size());
    CHECK(reader.problems() == seen.problems.size());
    CHECK(reader.bytes_read() == bytes.size());
    CHECK(reader.bytes_total() == bytes.size());
    return seen;
}
using rows = std::vector<pair_row>;
using sentences = std::vector<std::string>;

/// The sentences of all problems in a file of T.
template <class T>
sentences problems_of(std::string_view bytes, csv_options<T> options = {}) {
    sentences seen;
    options.on_problem = [&](csv_problem const& p) { seen.push_back(p.sentence()); };
    csv_reader<T> reader{csv_input::memory(bytes, "f.csv"), std::move(options)};
    T row{};
    while (reader.next(row)) {}
    return seen;
}

/// What constructing a reader throws.
template <class T>
std::string refusal(csv_input input, csv_options<T> options = {}, error_code* code = nullptr) {
    try {
        csv_reader<T> const reader{std::move(input), std::move(options)};
    } catch (error const& problem) {
        if (code != nullptr) *code = problem.code();
        return problem.what();
    }
    return "nothing";
}

std::string temporary_file(std::string_view bytes) {
    std::string path = "/tmp/driftless_csv_XXXXXX";
    int const fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::close(fd);
    return path;
}
}  // namespace

TEST_CASE("csv_reader maps columns to members by name, in any order, and ignores others", "[io][csv]") {
    csv_reader<line> reader{csv_input::memory("at_ms,extra,quantity,stock,seq\n-1,zzz,-4,AB,7\n")};
    line row{};
    REQUIRE(reader.next(row));
    CHECK(row.seq == 7);
    CHECK(row.stock == "AB");
    CHECK(row.quantity == -4);
    CHECK(row.at == event_time{-1'000'000});
    CHECK(reader.line() == 2);
    CHECK_FALSE(reader.next(row));
    CHECK_FALSE(reader.next(row));
}

TEST_CASE("a mapping in code names the column of a member", "[io][csv]") {
    csv_reader<line> reader{csv_input::memory("seq,sku,quantity,ts_ms\n1,AB,2,3\n"),
        {.columns = {{"at", "ts_ms"}, {"stock", "sku"}}}};
    line row{};
    REQUIRE(reader.next(row));
    CHECK(row.at == event_time::from_ms(3));
    CHECK(row.stock == "AB");
}

TEST_CASE("two members may read one column, doubled quotes and all", "[io][csv]") {
    csv_reader<pair_row> reader{csv_input::memory("x\n\"1\"\"2\"\"3\"\n"), {.columns = {{"a", "x"}, {"b", "x"}}}};
    pair_row row;
    REQUIRE(reader.next(row));
    CHECK(row == pair_row{"1\"2\"3", "1\"2\"3"});
}

TEST_CASE("quoted fields hold commas, doubled quotes and line breaks", "[io][csv]") {
    auto const seen =
        read_pairs("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"one\ntwo\r\nthree\",\"\"\n\"\"\"\"\"\",\"\"\"\"\n");
    CHECK(seen.rows == rows{{"x,y", "say \"hi\""}, {"one\ntwo\r\nthree", ""}, {"\"\"", "\""}});
    CHECK(seen.problems.empty());
}

TEST_CASE("LF, CRLF, blank lines and a last line without a break all end a row", "[io][csv]") {
    CHECK(read_pairs("a,b\r\n1,2\r\n\"3\",\"4\"\r\n\r\n\n5,6").rows == rows{{"1", "2"}, {"3", "4"}, {"5", "6"}});
    CHECK(read_pairs("\n\r\na,b\n1,2\r").rows == rows{{"1", "2"}});
    CHECK(read_pairs("a,b\n1,\"2\"\r").rows == rows{{"1", "2"}});
    CHECK(read_pairs("a,b\n1,").rows == rows{{"1", ""}});
    CHECK(read_pairs("a,b\n,\n").rows == rows{{"", ""}});
    CHECK(read_pairs("a,b").rows.empty());
}

TEST_CASE("a carriage return alone is data", "[io][csv]") {
    CHECK(read_pairs("a,b\n1\r2,\r\r\n").rows == rows{{"1\r2", "\r"}});
}

TEST_CASE("a byte order mark is skipped, once", "[io][csv]") {
    CHECK(read_pairs("\xEF\xBB\xBF"
                     "a,b\n\xEF\xBB\xBF"
                     "1,2\n")
              .rows
        == rows{{"\xEF\xBB\xBF"
                 "1",
            "2"}});
    CHECK(read_pairs("\xEF\xBB\xBF"
                     "a,b\n1,2\n",
              1)
              .rows
        == rows{{"1", "2"}});
    CHECK(read_pairs("\xEF\xBB\xBF\"a\",b\n1\n").problems == sentences{"f.csv:2:2: expected 2 fields, found 1"});
}

TEST_CASE("a NUL byte and spaces are data", "[io][csv]") {
    using namespace std::string_literals;
    CHECK(read_pairs("a,b\n\0x\0, y \n"s).rows == rows{{"\0x\0"s, " y "}});
}

TEST_CASE("every type reads its values to the last one that fits", "[io][csv]") {
    csv_reader<ticket> reader{csv_input::memory(
        "small,price,paid,wait_ms,seat,note\n"
        "255,-1.5e3,true,9223372036854,-2147483648,hello\n"
        "0,7,0,-9223372036854,,\n"
        "\"7\",\".5\",\"1\",\"2\",\"\",\"\"\n")};
    ticket row{};
    REQUIRE(reader.next(row));
    CHECK(row.small == 255);
    CHECK(row.price == -1500.0);
    CHECK(row.paid);
    CHECK(row.wait == duration{9'223'372'036'854'000'000});
    CHECK(row.seat == std::numeric_limits<std::int32_t>::min());
    CHECK(row.note == text{"hello"});
    REQUIRE(reader.next(row));
    CHECK(row.small == 0);
    CHECK_FALSE(row.paid);
    CHECK(row.wait == duration{-9'223'372'036'854'000'000});
    CHECK_FALSE(row.seat.has_value());
    CHECK_FALSE(row.note.has_value());
    REQUIRE(reader.next(row));
    CHECK(row.small == 7);
    CHECK(row.price == 0.5);
    CHECK(row.paid);
    CHECK_FALSE(row.seat.has_value());
    CHECK_FALSE(row.note.has_value());
    CHECK_FALSE(reader.next(row));
    CHECK(reader.problems() == 0);
}

// Columns in the order of the members are read in one go where nothing is to be said about them.
TEST_CASE("a number reads the same where columns are in the order of the members and where not", "[io][csv]") {
    std::vector<std::string> fields{"", "-", "+1", "-0", "007", "1x", "x1", " 1", "1 ", "1\r", "\"1\"", "1\"", "128",
        "255", "256", "-128", "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854",
        "9223372036855", "-9223372036855", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "18446744073709551615", "18446744073709551616"};
    std::string digits;
    for (int i = 1; i <= 24; ++i) fields.push_back(digits += static_cast<char>('0' + i % 10));

    for (std::size_t column = 0; column < 5; ++column) {
        for (std::string const& field : fields) {
            for (std::string const end : {"\n", "\r\n", ""}) {
                std::vector<std::string> cells{"1", "2", "3", "4", "5"};
                cells[column] = field;
                std::string in_order = "a,b,c,d,unread,e_ms\n1,1,1,1,1,1\n";
                std::string turned = "e_ms,unread,d,c,b,a\n1,1,1,1,1,1\n";
                for (std::size_t i = 0; i < 5; ++i) in_order += cells[i] + (i == 3 ? ",x," : i < 4 ? ","
                                                                                                   : end);
                for (std::size_t i = 5; i > 0; --i) turned += cells[i - 1] + (i == 5 ? ",x," : i > 1 ? ","
                                                                                                     : end);
                // A carriage return before a line feed ends a line; here it is to be data.
                if (field == "1\r" && (column == 0 || column == 4)) continue;
                INFO("column " << column << ", " << field);
                auto const read = [](std::string const& bytes, std::size_t chunk) {
                    std::vector<numbers> out;
                    csv_reader<numbers> rows{csv_input::memory(bytes), {.chunk_bytes = chunk}};
                    for (numbers row{}; rows.next(row);) out.push_back(row);
                    CHECK(rows.problems() + rows.rows() == 2);
                    CHECK(rows.bytes_read() == bytes.size());
                    return out;
                };
                auto const expected = read(turned, 1 << 16);
                CHECK(read(in_order, 1 << 16) == expected);
                CHECK(read(in_order, 5) == expected);
            }
        }
    }
}

TEST_CASE("an empty field is the declared default, else nullopt or an empty text", "[io][csv]") {
    csv_options<ticket> options{.defaults = {csv_default{&ticket::small, std::uint8_t{9}},
                                    csv_default{&ticket::seat, 5}, csv_default{&ticket::note, text{"none"}}}};
    csv_reader<ticket> reader{csv_input::memory("small,price,paid,wait_ms,seat\n,1,0,0,\n3,1,0,0,4\n"),
        std::move(options)};
    ticket row{};
    REQUIRE(reader.next(row));
    CHECK(row.small == 9);
    CHECK(row.seat == 5);
    CHECK(row.note == text{"none"});  // the column is missing altogether
    REQUIRE(reader.next(row));
    CHECK(row.small == 3);
    CHECK(row.seat == 4);

    pair_row texts{"old", "old"};
    csv_reader<pair_row> with_text{csv_input::memory("a,b\n,\n"), {.defaults = {csv_default{&pair_row::b, "?"}}}};
    REQUIRE(with_text.next(texts));
    CHECK(texts == pair_row{"", "?"});
}

TEST_CASE("a text stays whole until the next row, whatever the chunk", "[io][csv]") {
    for (std::size_t const chunk : {1U, 2U, 3U, 7U, 64U}) {
        csv_reader<line> reader{csv_input::memory("seq,stock,quantity,at_ms\n1,\"a\"\"b\",2,3\n2,cdefghijkl,2,3\n"),
            {.chunk_bytes = chunk}};
        line row{};
        REQUIRE(reader.next(row));
        CHECK(row.stock == "a\"b");
        REQUIRE(reader.next(row));
        CHECK(row.stock == "cdefghijkl");
    }
}

TEST_CASE("a malformed value is reported with file, line, column and reason, and skipped", "[io][csv]") {
    std::string const head = "seq,stock,quantity,at_ms\n";
    auto const quantity = [&](std::string const& field) {
        auto const seen = problems_of<line>(head + "1,AB,2,3\n1,AB," + field + ",3\n1,AB,2,3\n");
        return seen.size() == 1 ? seen[0] : std::to_string(seen.size()) + " problems";
    };
    CHECK(quantity("abc") == "f.csv:3:6: column 'quantity': \"abc\" is not an integer");
    CHECK(quantity("12x") == "f.csv:3:6: column 'quantity': \"12x\" is not an integer");
    CHECK(quantity(" 12") == "f.csv:3:6: column 'quantity': \" 12\" is not an integer");
    CHECK(quantity("+1") == "f.csv:3:6: column 'quantity': \"+1\" is not an integer");
    CHECK(quantity("-") == "f.csv:3:6: column 'quantity': \"-\" is not an integer");
    CHECK(quantity("\"1\"\"2\"") == "f.csv:3:6: column 'quantity': \"1\"\"2\" is not an integer");
    CHECK(quantity("1\t") == "f.csv:3:6: column 'quantity': \"1\\x09\" is not an integer");
    CHECK(quantity("2147483647") == "0 problems");
    CHECK(quantity("2147483648")
        == "f.csv:3:6: column 'quantity': \"2147483648\" is out of range: -2147483648 to 2147483647");
    CHECK(quantity("") == "f.csv:3:6: column 'quantity' is empty and has no default");
    CHECK(quantity("\"\"") == "f.csv:3:6: column 'quantity' is empty and has no default");
    CHECK(quantity(std::string(39, 'x') + "\xC3\xA4yz")
        == "f.csv:3:6: column 'quantity': \"" + std::string(39, 'x') + "...\" is not an integer");

    CHECK(problems_of<line>(head + "1,AB,2,9223372036855\n")
        == sentences{"f.csv:2:8: column 'at_ms': \"9223372036855\" is out of range: -9223372036854 to 9223372036854"});
    std::string const tickets = "small,price,paid,wait_ms\n";
    CHECK(problems_of<ticket>(tickets + "-1,1,1,1\n256,1,1,1\n-0x,1,1,1\n")
        == sentences{"f.csv:2:1: column 'small': \"-1\" is out of range: 0 to 255",
            "f.csv:3:1: column 'small': \"256\" is out of range: 0 to 255",
            "f.csv:4:1: column 'small': \"-0x\" is not an integer"});
    CHECK(problems_of<ticket>(tickets + "1,1.2.3,1,1\n1,1e999,1,1\n1,1,yes,1\n1,1,1,1.5\n")
        == sentences{"f.csv:2:3: column 'price': \"1.2.3\" is not a number",
            "f.csv:3:3: column 'price': \"1e999\" is out of the range of a floating-point number",
            "f.csv:4:5: column 'paid': \"yes\" is not a bool: true, false, 1 or 0",
            "f.csv:5:7: column 'wait_ms': \"1.5\" is not an integer"});
}

TEST_CASE("a row with too few or too many fields is reported where they end", "[io][csv]") {
    auto const seen = read_pairs("a,b\n1\n1,2,3\n1,2\n\"x\"\n1,2,\n\"\"\n");
    CHECK(seen.rows == rows{{"1", "2"}});
    CHECK(seen.problems
        == sentences{"f.csv:2:2: expected 2 fields, found 1",
            "f.csv:3:5: expected 2 fields, found 3",
            "f.csv:5:4: expected 2 fields, found 1",
            "f.csv:6:5: expected 2 fields, found 3",
            "f.csv:7:3: expected 2 fields, found 1"});
}

TEST_CASE("a quote out of place spoils its own row only", "[io][csv]") {
    auto const seen = read_pairs("a,b\n1,x\"y\n2,\"z\"w\n\"3\" ,4\n\"5\"\r6,7\n8,\"9\",x\"\n\"a\"b\"c\"\nok,ok\n");
    CHECK(seen.rows == rows{{"ok", "ok"}});
    CHECK(seen.problems
        == sentences{"f.csv:2:4: column 'b': a quote stands inside an unquoted field",
            "f.csv:3:6: column 'b': text follows the closing quote of a field",
            "f.csv:4:4: column 'a': text follows the closing quote of a field",
            "f.csv:5:4: column 'a': text follows the closing quote of a field",
            "f.csv:6:8: a quote stands inside an unquoted field",
            "f.csv:7:4: column 'a': text follows the closing quote of a field"});
}

TEST_CASE("an unterminated quote is one problem, at the line where it opened", "[io][csv]") {
    auto const seen = read_pairs("a,b\n\"1\n2\",\"x\n\n,3\n4,5\n");
    CHECK(seen.rows.empty());
    CHECK(seen.problems == sentences{"f.csv:3:4: column 'b': a quoted field is not closed before the end of the file"});
    CHECK(read_pairs("a,b\n1,\"").problems
        == sentences{"f.csv:2:3: column 'b': a quoted field is not closed before the end of the file"});
    CHECK(read_pairs("a,b\n1,\"x\"\"").problems.size() == 1);
}

TEST_CASE("line numbers count the breaks inside quotes, columns count characters", "[io][csv]") {
    std::string const bytes =
        "seq,stock,quantity,at_ms\n"
        "1,\"a\nb\nc\",2,3\n"             // lines 2 to 4
        "\n"                            // 5
        "2,\"\xC3\xA4\xC3\xB6\",x,3\n"  // 6
        "3,\"p\"\"\nq\"\"\"\"r\",x,3\n"  // 7 and 8
        "4,AB,2,3\n";                   // 9
    CHECK(problems_of<line>(bytes)
        == sentences{"f.csv:6:8: column 'quantity': \"x\" is not an integer",
            "f.csv:8:9: column 'quantity': \"x\" is not an integer"});
    csv_reader<line> reader{csv_input::memory(bytes)};
    line row{};
    REQUIRE(reader.next(row));
    CHECK(reader.line() == 2);
    REQUIRE(reader.next(row));
    CHECK(row.seq == 4);
    CHECK(reader.line() == 9);
}

TEST_CASE("a problem carries its parts, the callback may own things", "[io][csv]") {
    std::vector<csv_problem> seen;
    csv_reader<line> reader{csv_input::memory("seq,stock,quantity,at_ms\n1,AB,q,3\n1\n", "x.csv"),
        {.on_problem = [&seen, big = std::string(1000, 'x')](csv_problem const& p) {
            if (big.size() == 1000) seen.push_back(p);
        }}};
    csv_reader<line> moved{std::move(reader)};
    line row{};
    CHECK_FALSE(moved.next(row));
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].file == "x.csv");
    CHECK(seen[0].line == 2);
    CHECK(seen[0].column == 6);
    CHECK(seen[0].column_name == "quantity");
    CHECK(seen[0].reason == "column 'quantity': \"q\" is not an integer");
    CHECK(seen[1].column_name.empty());
}

TEST_CASE("strict throws the sentence at the malformed line and can go on", "[io][csv]") {
    csv_reader<line> reader{csv_input::memory("seq,stock,quantity,at_ms\n1,AB,abc,3\n2,AB,2,3\n", "lines.csv"),
        {.strict = true}};
    line row{};
    try {
        reader.next(row);
        FAIL("no error");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::malformed);
        CHECK(std::string{problem.what()} == "driftless: lines.csv:2:6: column 'quantity': \"abc\" is not an integer");
    }
    CHECK(reader.problems() == 1);
    auto const more = reader.try_next(row);
    REQUIRE(more.has_value());
    CHECK(row.seq == 2);
}

TEST_CASE("a header that does not fit is refused with a sentence", "[io][csv]") {
    error_code code{};
    CHECK(refusal<line>(csv_input::memory("seq,stock,at_ms\n", "f.csv"), {}, &code) ==
        "driftless: f.csv: no column 'quantity' for member 'quantity'; the columns are seq, stock, at_ms: map one with "
        "csv_columns{{\"quantity\", ...}} or declare a csv_default");
    CHECK(code == error_code::malformed);
    CHECK(refusal<line>(csv_input::memory("seq,stock,quantity,at\n", "f.csv")) ==
        "driftless: f.csv: no column 'at_ms' for member 'at'; the columns are seq, stock, quantity, at: map one with "
        "csv_columns{{\"at\", ...}} or declare a csv_default");
    CHECK(refusal<pair_row>(csv_input::memory("a\n", "f.csv")).find("no column 'b'") != std::string::npos);
    CHECK(refusal<pair_row>(csv_input::memory("a,b,a\n", "f.csv")) == "driftless: f.csv: column 'a' is there twice");
    CHECK(refusal<pair_row>(csv_input::memory("a,b,x,x\n", "f.csv")) == "nothing");
    for (std::string_view const nothing : {"", "\n\r\n\n", "\xEF\xBB\xBF"})
        CHECK(refusal<pair_row>(csv_input::memory(nothing, "f.csv"))
            == "driftless: f.csv: the header line is missing: the file is empty");
    CHECK(refusal<pair_row>(csv_input::memory("a,\"b\n1,2\n", "f.csv"))
        == "driftless: f.csv:1:3: a quoted field is not closed before the end of the file");
    CHECK(refusal<pair_row>(csv_input::memory("a,b\n"), {.columns = {{"c", "x"}}}, &code)
        == "driftless: csv_columns maps 'c', but the members are a, b");
    CHECK(code == error_code::invalid_argument);
}

TEST_CASE("a default for a member that reflection does not list is refused", "[io][csv]") {
    try {
        csv_options<not_listed> const options{.defaults = {csv_default{&not_listed::hidden, 1}}};
        FAIL("no error");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::invalid_argument);
    }
    CHECK(csv_defaults<not_listed>{csv_default{&not_listed::listed, 1}}.declared(0));
}

TEST_CASE("a file that cannot be opened or read is an error with its path", "[io][csv]") {
    error_code code{};
    CHECK(refusal<pair_row>("/nowhere/at/all.csv", {}, &code)
        == "driftless: cannot open the CSV file: No such file or directory [/nowhere/at/all.csv]");
    CHECK(code == error_code::io);
    CHECK(refusal<pair_row>("/tmp", {}, &code) == "driftless: cannot read the CSV file: Is a directory [/tmp]");
    CHECK(code == error_code::io);
    auto const opened = csv_reader<pair_row>::try_open("/nowhere/at/all.csv");
    CHECK_FALSE(opened.has_value());
    CHECK(opened.error().path() == "/nowhere/at/all.csv");
}

TEST_CASE("a file reports its size and how far it is read", "[io][csv]") {
    std::string const path = temporary_file("a,b\n1,2\n3,4\n");
    csv_reader<pair_row> reader{path};
    CHECK(reader.bytes_total() == 12);
    CHECK(reader.bytes_read() == 4);
    pair_row row;
    REQUIRE(reader.next(row));
    CHECK(reader.bytes_read() == 8);
    while (reader.next(row)) {}
    CHECK(reader.bytes_read() == 12);
    CHECK(row == pair_row{"3", "4"});
    ::unlink(path.c_str());
}

TEST_CASE("a pipe is read as it comes and has no size; its descriptor stays open", "[io][csv]") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::write(ends[1], "a,b\n1,2\n\"3", 10) == 10);
    pair_row row;
    {
        csv_reader<pair_row> reader{csv_input::from_descriptor(ends[0], "<pipe>")};
        CHECK_FALSE(reader.bytes_total().has_value());
        REQUIRE(reader.next(row));  // although the writer is not done
        CHECK(row == pair_row{"1", "2"});
        REQUIRE(::write(ends[1], "\",4", 3) == 3);
        ::close(ends[1]);
        REQUIRE(reader.next(row));
        CHECK(row == pair_row{"3", "4"});
        CHECK_FALSE(reader.next(row));
    }
    char byte = 0;
    CHECK(::read(ends[0], &byte, 1) == 0);
    ::close(ends[0]);
}

TEST_CASE("a field of ten megabytes is a field", "[io][csv]") {
    std::string huge(10'000'000, 'x');
    huge[5'000'000] = '\n';
    std::string const bytes = "a,b\n1,\"" + huge + "\"\n2," + std::string(1'000'000, 'y') + "\n3,\"" + huge;
    auto const seen = read_pairs(bytes, 4096);
    REQUIRE(seen.rows.size() == 2);
    CHECK((seen.rows[0].b == huge));
    CHECK(seen.rows[1].b.size() == 1'000'000);
    CHECK(seen.problems == sentences{"f.csv:5:3: column 'b': a quoted field is not closed before the end of the file"});
}

TEST_CASE("csv_writer quotes only what needs it", "[io][csv]") {
    std::string out;
    csv_writer writer{out};
    writer.write_row("plain", text{"a,b"}, std::string{"say \"hi\""}, "line\nbreak", "cr\r", " spaces ", "");
    writer.write_row(
        -1, std::uint8_t{255}, true, false, 0.1, 2.5F, event_time{-1}, duration{-1}, event_time::from_ms(5));
    writer.write_row(std::optional<int>{}, std::optional<int>{3}, std::optional<text>{"x,"});
    CHECK(out ==
        "plain,\"a,b\",\"say \"\"hi\"\"\",\"line\nbreak\",\"cr\r\", spaces ,\n"
        "-1,255,true,false,0.1,2.5,-1,-1,5\n"
        ",3,\"x,\"\n");
}

TEST_CASE("a row of one empty field survives the way there and back", "[io][csv]") {
    std::string out;
    csv_writer writer{out};
    writer.write_header<one_column>();
    writer.write(one_column{});
    writer.write(one_column{"x"});
    CHECK(out == "word\n\"\"\nx\n");
    csv_reader<one_column> reader{csv_input::memory(out)};
    one_column row{"old"};
    REQUIRE(reader.next(row));
    CHECK_FALSE(row.word.has_value());
    REQUIRE(reader.next(row));
    CHECK(row.word == "x");
}

TEST_CASE("csv_writer writes to a stream and says when it is full", "[io][csv]") {
    std::string const path = temporary_file("");
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    {
        csv_writer writer{file};
        writer.write_row("a", "b");
        for (int i = 0; i < 20'000; ++i) writer.write_row(i, "some words, quoted");
    }
    std::fclose(file);
    csv_reader<pair_row> reader{path, {.strict = true}};
    pair_row row;
    while (reader.next(row)) {}
    CHECK(reader.rows() == 20'000);
    CHECK(row == pair_row{"19999", "some words, quoted"});
    ::unlink(path.c_str());

    if (std::FILE* const full = std::fopen("/dev/full", "wb"); full != nullptr) {
        csv_writer writer{full};
        writer.write_row("x");
        CHECK_THROWS_AS(writer.flush(), error);
        std::fclose(full);
    }
}

TEST_CASE("the real invoice lines and access log add up", "[io][csv][data]") {
    char const* const folder = std::getenv("DRIFTLESS_DATA_DIR");
    if (folder == nullptr) {
        WARN("skipped: DRIFTLESS_DATA_DIR is not set");
        return;
    }
    for (std::size_t const chunk : {std::size_t{1} << 18U, std::size_t{97}}) {
        csv_reader<invoice_line> lines{std::string{folder} + "/retail/lines.csv",
            {.columns = {{"at", "ts_ms"}}, .strict = true, .chunk_bytes = chunk}};
        invoice_line row{};
        std::int64_t units = 0;
        std::int64_t pence = 0;
        std::int64_t times = 0;
        std::int64_t customers = 0;
        std::size_t nobody = 0;
        std::size_t letters = 0;
        while (lines.next(row)) {
            units += row.quantity;
            pence += row.quantity * row.unit_price_pence;
            times += row.at.ms();
            customers += row.customer_id.value_or(0);
            nobody += row.customer_id ? 0 : 1;
            letters += row.description.size() + row.country.size();
            if (row.seq == 871) CHECK(row.description == "RECORD FRAME 7\" SINGLE SIZE ");
        }
        CHECK(lines.rows() == 22'523);
        CHECK(lines.bytes_read() == lines.bytes_total());
        CHECK(units == 166'648);
        CHECK(pence == 37'748'845);
        CHECK(times == 29'090'263'352'760'000);
        CHECK(customers == 230'799'729);
        CHECK(nobody == 7'720);
        CHECK(letters == 599'796 + 306'321);
    }
    csv_reader<access> log{std::string{folder} + "/access_log/events.csv",
        {.defaults = {csv_default{&access::bytes, 0}}, .strict = true}};
    access row{};
    std::int64_t statuses = 0;
    std::int64_t bytes = 0;
    std::int64_t times = 0;
    std::size_t letters = 0;
    while (log.next(row)) {
        statuses += row.status;
        bytes += row.bytes;
        times += row.ts.ms();
        letters += row.path.size() + (row.user_agent ? row.user_agent->size() : 0);
    }
    CHECK(log.rows() == 10'000);
    CHECK(statuses == 2'108'304);
    CHECK(bytes == 2'747'282'740);
    CHECK(times == 14'320'064'200'266'000);
    CHECK(letters == 896'295 + 323'021);
}
}  // namespace csv_test
