// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/evolution.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// A log outlives the programs that write it: what version 1 appended, version 2 reads, and the other way round where
// the rules allow it.

using namespace driftless;
using testing::memory_files;

namespace {
constexpr std::array<std::int64_t, 100> filled_with_nines() {
    std::array<std::int64_t, 100> out{};
    for (auto& each : out) each = 9;
    return out;
}
struct point {
    std::int16_t x = 0;
    std::int32_t y = 0;
};
struct far_point {
    std::int64_t y = 0;
    std::int16_t x = 0;
    std::int32_t z = -7;
};

// Of one size, for all layouts.
struct trade_1 {
    static constexpr auto schema_evolution = evolving;
    bool buy = false;
    std::int32_t cents = 0;
    std::array<std::uint8_t, 3> code{};
    event_time at;
    point where;
    float weight = 0;
    std::uint16_t shop = 0;
};
struct trade_2 {
    static constexpr auto schema_evolution = evolving;
    static constexpr std::array schema_aliases{schema_alias{"at", "sold"}};
    event_time booked{123};
    std::int64_t cents = 0;
    event_time sold;
    far_point where;
    double weight = 0;
    std::array<std::uint8_t, 3> code{};
    bool buy = false;
};
// Each reads the other.
struct visit_1 {
    static constexpr auto schema_evolution = evolving;
    event_time at;
    std::int64_t pages = 0;
};
struct visit_2 {
    static constexpr auto schema_evolution = evolving;
    std::int64_t pages = 0;
    std::uint32_t clicks = 0;
    event_time at;
};
struct plain_visit_2 {
    std::int64_t pages = 0;
    std::uint32_t clicks = 0;
    event_time at;
};
struct five_times {
    static constexpr auto schema_evolution = evolving;
    event_time a, b, c, d, at;
};
struct visit_3 {
    static constexpr auto schema_evolution = evolving;
    event_time at;
    std::array<std::int64_t, 100> room = filled_with_nines();
};

// With text, for packed and columns.
struct note_1 {
    static constexpr auto schema_evolution = evolving;
    std::string name;
    std::vector<std::int16_t> sizes;
    std::optional<std::string> remark;
    event_time at;
};
struct note_2 {
    static constexpr auto schema_evolution = evolving;
    static constexpr std::array schema_aliases{schema_alias{"name", "title"}};
    event_time at;
    text title;
    std::vector<std::int64_t> sizes;
    text remark{"none"};
    std::uint32_t stars = 3;
};
// A number of note_2 has become text.
struct note_3 {
    static constexpr auto schema_evolution = evolving;
    event_time at;
    std::string stars;
};
// For a program that does not evolve.
struct plain_note {
    event_time at;
    std::string title;
};

struct base {
    std::int32_t a = 0;
};
struct inherited : base {
    std::int32_t b = 0;
};
struct flat {
    std::int32_t a = 0;
    std::int32_t b = 0;
};
struct wide {
    std::int64_t a = 0;
    std::int64_t b = 0;
};
template <class Pair, class Extra> struct holds {
    static constexpr auto schema_evolution = evolving;
    Pair pair;
    Extra extra{};
};
using holds_inherited = holds<inherited, std::uint8_t>;
using holds_flat = holds<flat, std::uint16_t>;
using holds_wide = holds<wide, std::uint32_t>;

// Their schema is not what they write.
struct liar {
    static constexpr std::string_view schema_name = "{name:text}";
    std::string bytes;
    void save(byte_writer& writer) const { writer.put_bytes(bytes); }
    void load(byte_reader& reader) { bytes = reader.get_bytes(reader.remaining()); }
};
struct unsayable {
    static constexpr std::string_view schema_name = "{name:text";
    void save(byte_writer& writer) const { writer.put_byte(0); }
    void load(byte_reader& reader) { static_cast<void>(reader.get_byte()); }
    std::string room;
};
struct believer {
    static constexpr auto schema_evolution = evolving;
    std::string name;
    std::int32_t more = 0;
};

template <class T> T numbered(std::uint64_t i);
template <> trade_1 numbered(std::uint64_t i) {
    auto const n = static_cast<std::int32_t>(i);
    return {i % 3 == 0, -5 * n, {{1, 2, static_cast<std::uint8_t>(i)}}, event_time{1000 - n},
        {static_cast<std::int16_t>(-n), n}, 0.5f * static_cast<float>(i), static_cast<std::uint16_t>(i)};
}
template <> trade_2 numbered(std::uint64_t i) {
    auto const n = static_cast<std::int64_t>(i);
    return {event_time{123}, -5 * n, event_time{1000 - n}, {n, static_cast<std::int16_t>(-n), -7},
        0.5 * static_cast<double>(i), {{1, 2, static_cast<std::uint8_t>(i)}}, i % 3 == 0};
}
template <> note_1 numbered(std::uint64_t i) {
    note_1 out{"name " + std::to_string(i), {}, {}, event_time{static_cast<std::int64_t>(i)}};
    out.sizes.assign(i % 4, static_cast<std::int16_t>(-300));
    if (i % 2 == 0) out.remark = std::string(i % 50, 'r');
    return out;
}

bool same(trade_2 const& a, trade_2 const& b) {
    return a.booked == b.booked && a.cents == b.cents && a.sold == b.sold && a.where.x == b.where.x
        && a.where.y == b.where.y && a.where.z == b.where.z && a.weight == b.weight && a.code == b.code
        && a.buy == b.buy;
}

event_time still() { return event_time{1'000}; }
file_log_options options_in(memory_files& files, log_access access = log_access::append) {
    file_log_options out;
    out.access = access;
    out.durable = on_close;
    out.background = false;
    out.block_bytes = 1'024;
    out.segment_bytes = 3'000;
    out.deltas = true;
    out.files = &files;
    out.clock = &still;
    out.id = {1, 2};
    return out;
}

template <class T, class Layout> void append(memory_files& files, std::uint64_t from, std::uint64_t to) {
    file_log<T, Layout> log{"log", options_in(files)};
    for (; from < to; ++from) log.append(numbered<T>(from));
    log.close();
}
/// Calls f(record, offset) for every record of a log, in blocks, and in each() as well as one by one.
template <class T, class Layout, class F> void read_all(file_log<T, Layout> const& log, std::uint64_t expected, F&& f) {
    REQUIRE(log.end_offset() == expected);
    for (auto at = log.begin_offset(); at < expected;) {
        auto const block = log.read(0, at);
        REQUIRE(block.size() != 0);
        block.each(0, block.size(), [&](std::size_t i, T const& record) { f(record, at + i); });
        f(block[block.size() - 1], at + block.size() - 1);
        f(block.peek(0), at);
        at += block.size();
    }
}
template <class F> error error_of(F&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem;
    }
    return error{error_code::none, "nothing was thrown"};
}
bool contains(error const& problem, std::string_view what) {
    return std::string_view{problem.what()}.find(what) != std::string_view::npos;
}
}  // namespace
BOOST_HANA_ADAPT_STRUCT(point, x, y);
BOOST_HANA_ADAPT_STRUCT(far_point, y, x, z);
BOOST_HANA_ADAPT_STRUCT(trade_1, buy, cents, code, at, where, weight, shop);
BOOST_HANA_ADAPT_STRUCT(trade_2, booked, cents, sold, where, weight, code, buy);
BOOST_HANA_ADAPT_STRUCT(visit_1, at, pages);
BOOST_HANA_ADAPT_STRUCT(visit_2, pages, clicks, at);
BOOST_HANA_ADAPT_STRUCT(visit_3, at, room);
BOOST_HANA_ADAPT_STRUCT(plain_visit_2, pages, clicks, at);
BOOST_HANA_ADAPT_STRUCT(five_times, a, b, c, d, at);
BOOST_HANA_ADAPT_STRUCT(note_1, name, sizes, remark, at);
BOOST_HANA_ADAPT_STRUCT(note_2, at, title, sizes, remark, stars);
BOOST_HANA_ADAPT_STRUCT(plain_note, at, title);
BOOST_HANA_ADAPT_STRUCT(inherited, a, b);
BOOST_HANA_ADAPT_STRUCT(flat, a, b);
BOOST_HANA_ADAPT_STRUCT(wide, a, b);
BOOST_HANA_ADAPT_STRUCT(holds_inherited, pair, extra);
BOOST_HANA_ADAPT_STRUCT(holds_flat, pair, extra);
BOOST_HANA_ADAPT_STRUCT(holds_wide, pair, extra);
BOOST_HANA_ADAPT_STRUCT(believer, name, more);
BOOST_HANA_ADAPT_STRUCT(note_3, at, stars);
template <>
inline constexpr auto driftless::schema_history<note_3> = driftless::upcasters<note_2, note_3>(
    [](note_2 const& from) { return note_3{from.at, std::to_string(from.stars) + " for " + std::string{from.title}}; });

TEMPLATE_TEST_CASE("a log of version 1 goes on in version 2, which reads all of it", "[log][evolution]", rows, packed,
    columns) {
    memory_files files;
    append<trade_1, TestType>(files, 0, 100);
    append<trade_2, TestType>(files, 100, 150);
    for (auto const access : {log_access::append, log_access::read}) {
        file_log<trade_2, TestType> const log{"log", options_in(files, access)};
        std::uint64_t seen = 0;
        bool all = true;
        read_all(log, 150, [&](trade_2 const& record, std::uint64_t offset) {
            ++seen;
            all = all && same(record, numbered<trade_2>(offset));
        });
        CHECK(all);
        CHECK(seen >= 150);
    }
    append<trade_2, TestType>(files, 150, 200);
    file_log<trade_2, TestType> const log{"log", options_in(files, log_access::read)};
    bool all = true;
    read_all(log, 200, [&](trade_2 const& record, std::uint64_t offset) {
        all = all && same(record, numbered<trade_2>(offset));
    });
    CHECK(all);
    CHECK(can_read_all<trade_2>("log", files));
}

TEMPLATE_TEST_CASE("text, sequences and optionals of version 1 are read by version 2", "[log][evolution]", packed,
    columns) {
    memory_files files;
    append<note_1, TestType>(files, 0, 120);
    file_log<note_2, TestType> log{"log", options_in(files)};
    log.append(note_2{event_time{120}, "two", {1}, "x", 5});
    bool all = true;
    read_all(log, 121, [&](note_2 const& record, std::uint64_t offset) {
        if (offset == 120) {
            all = all && record.title == "two" && record.stars == 5;
            return;
        }
        auto const was = numbered<note_1>(offset);
        all = all && record.title == was.name && record.at == was.at && record.stars == 3
            && record.remark == (was.remark ? *was.remark : "none")
            && record.sizes == std::vector<std::int64_t>(was.sizes.begin(), was.sizes.end());
    });
    CHECK(all);
}

template <class Old, class New> struct layouts {
    using before = Old;
    using after = New;
};
TEMPLATE_TEST_CASE("a log may change its layout", "[log][evolution]", (layouts<rows, columns>),
    (layouts<columns, rows>), (layouts<packed, rows>), (layouts<rows, packed>)) {
    memory_files files;
    append<trade_1, typename TestType::before>(files, 0, 100);
    file_log<trade_1, typename TestType::after> const same_schema{"log", options_in(files, log_access::read)};
    bool all = true;
    read_all(same_schema, 100, [&](trade_1 const& record, std::uint64_t offset) {
        auto const was = numbered<trade_1>(offset);
        all = all && record.cents == was.cents && record.where.x == was.where.x && record.shop == was.shop;
    });
    file_log<trade_2, typename TestType::after> const log{"log", options_in(files, log_access::read)};
    read_all(log, 100, [&](trade_2 const& record, std::uint64_t offset) {
        all = all && same(record, numbered<trade_2>(offset));
    });
    CHECK(all);
}

TEMPLATE_TEST_CASE("records of the version before go through the upcaster", "[log][evolution]", packed, columns) {
    memory_files files;
    {
        file_log<note_2, TestType> log{"log", options_in(files)};
        for (std::uint32_t i = 0; i < 100; ++i)
            log.append(note_2{event_time{i}, "a title that does not lie in the string itself", {}, "", i});
        log.close();
    }
    file_log<note_3, TestType> log{"log", options_in(files)};
    log.append(note_3{event_time{100}, "new"});
    bool all = true;
    read_all(log, 101, [&](note_3 const& record, std::uint64_t offset) {
        auto const upcast = std::to_string(offset) + " for a title that does not lie in the string itself";
        all = all && record.stars == (offset == 100 ? "new" : upcast);
    });
    CHECK(all);
}

TEMPLATE_TEST_CASE("version 1 reads what version 2 appends meanwhile, where the rules allow it", "[log][evolution]",
    rows, packed, columns) {
    memory_files files;
    {
        file_log<visit_1, TestType> log{"log", options_in(files)};
        log.append(visit_1{event_time{5}, 50});
        log.close();
    }
    file_log<visit_1, TestType> const reader{"log", options_in(files, log_access::read)};
    file_log<visit_2, TestType> writer{"log", options_in(files)};
    CHECK(reader.end_offset() == 1);
    writer.append(visit_2{60, 7, event_time{6}});
    writer.flush();
    std::vector<std::int64_t> pages;
    read_all(reader, 2, [&](visit_1 const& record, std::uint64_t offset) {
        pages.push_back(record.pages);
        CHECK(record.at == event_time{static_cast<std::int64_t>(offset) + 5});
    });
    CHECK(pages == std::vector<std::int64_t>{50, 50, 50, 60, 60, 60});
}

TEST_CASE("what cannot be read is a mismatch: of the newest segment at once, of others when they are read",
    "[log][evolution]") {
    memory_files files;
    append<note_1, packed>(files, 0, 50);
    file_log<note_1, packed> const reader{"log", options_in(files, log_access::read)};
    {
        file_log<note_2, packed> writer{"log", options_in(files)};
        writer.append(note_2{event_time{7}, "seven", {}, "seen", 1});
        writer.close();
    }
    CHECK(reader.end_offset() == 51);
    CHECK(reader.read(0, 49)[0].name == "name 49");
    auto const later = error_of([&] { static_cast<void>(reader.read(0, 50)); });
    CHECK(later.code() == error_code::mismatch);
    CHECK(contains(later, "sizes[]: i16 was i64, and numbers are not narrowed: give an upcaster"));
    CHECK(later.path() == "log/p00000/00000000000000000050.segment");

    auto const at_once = error_of([&] { file_log<note_1, packed> const log{"log", options_in(files)}; });
    CHECK(at_once.code() == error_code::mismatch);
    CHECK(contains(at_once, "sizes[]: i16 was i64"));
    CHECK(contains(at_once, "it has " + schema_of<note_2>() + ", this program reads " + schema_of<note_1>()));

    auto const fixed = error_of([&] { file_log<plain_note, packed> const log{"log", options_in(files)}; });
    CHECK(fixed.code() == error_code::mismatch);
    CHECK(contains(fixed, "if it is another version of them, include <driftless/log/evolution.hpp> and say evolving"));
    // Nothing has happened to the log.
    CHECK(file_log<note_2, packed>{"log", options_in(files)}.end_offset() == 51);
}

TEST_CASE("a program that does not evolve never takes old records for its own", "[log][evolution]") {
    memory_files files;
    {
        file_log<visit_1, packed> log{"log", options_in(files)};
        log.append(visit_1{event_time{5}, 50});
        log.close();
    }
    {
        file_log<visit_2, packed> log{"log", options_in(files)};
        log.append(visit_2{60, 7, event_time{6}});
        log.close();
    }
    file_log<plain_visit_2, packed> const log{"log", options_in(files, log_access::read)};
    CHECK(log.read(0, 1)[0].clicks == 7);
    auto const problem = error_of([&] { static_cast<void>(log.read(0, 0)); });
    CHECK(problem.code() == error_code::mismatch);
    CHECK(contains(problem, "the log holds other records: it has {at:time,pages:i64}"));
    CHECK(problem.path() == "log/p00000/00000000000000000000.segment");
}

TEST_CASE("can_read_all lists the segments that cannot be read", "[log][evolution]") {
    memory_files files;
    CHECK(error_of([&] { static_cast<void>(can_read_all<note_1>("log", files)); }).code() == error_code::not_there);
    append<note_1, packed>(files, 0, 200);
    {
        file_log<note_2, packed> writer{"log", options_in(files)};
        writer.append(note_2{event_time{7}, "seven", {}, "seen", 1});
        writer.close();
    }
    auto const found = can_read_all<note_1>("log", files);
    CHECK(found.segments >= 3);
    REQUIRE(found.unreadable.size() == 1);
    CHECK(!found);
    CHECK(found.unreadable[0].path == "log/p00000/00000000000000000200.segment");
    CHECK(found.unreadable[0].schema == schema_of<note_2>());
    CHECK(found.unreadable[0].differences
        == std::vector<std::string>{"sizes[]: i16 was i64, and numbers are not narrowed: give an upcaster"});
    CHECK(can_read_all<note_2>("log", files).segments == found.segments);
    CHECK(can_read_all<note_2>("log", files));

    auto const damaged = files.open("log/p00000/00000000000000000000.segment", open_mode::write);
    damaged->write_at(80, std::string_view{"x"});
    auto const now = can_read_all<note_2>("log", files);
    REQUIRE(now.unreadable.size() == 1);
    CHECK(now.unreadable[0].schema.empty());
    CHECK(now.unreadable[0].differences[0].find("the header of the segment is damaged") != std::string::npos);
}

TEMPLATE_TEST_CASE("a writer of version 2 takes over from one of version 1 that died", "[log][evolution]", rows, packed,
    columns) {
    memory_files files;
    auto* const died = new file_log<trade_1, TestType>{"log", options_in(files)};  // never closed: its process ends
    for (std::uint64_t i = 0; i < 5; ++i) died->append(numbered<trade_1>(i));
    died->sync();
    files.restart();
    {
        file_log<trade_2, TestType> log{"log", options_in(files)};
        CHECK(log.end_offset() == 5);
        for (std::uint64_t i = 5; i < 10; ++i) log.append(numbered<trade_2>(i));
        log.close();
    }
    file_log<trade_2, TestType> const log{"log", options_in(files, log_access::read)};
    bool all = true;
    read_all(log, 10, [&](trade_2 const& record, std::uint64_t offset) {
        all = all && same(record, numbered<trade_2>(offset));
    });
    CHECK(all);
    try {
        delete died;
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
}

TEST_CASE("the seal of a segment is one of its own schema, whoever writes it", "[log][evolution]") {
    // Blocks with bounds of one time have a header of 128 bytes, those with bounds of five have 192.
    memory_files files;
    auto const begin_and_die = []<class T>(memory_files& in, T const& record) {
        auto* const died = new file_log<T, packed>{"log", options_in(in)};
        died->append(record);
        died->sync();
        in.restart();
        try {
            delete died;
        } catch (...) {  // NOLINT(bugprone-empty-catch)
        }
    };
    begin_and_die(files, visit_1{event_time{1}, 10});
    begin_and_die(files, five_times{event_time{2}, event_time{2}, event_time{2}, event_time{2}, event_time{2}});
    begin_and_die(files, visit_1{event_time{3}, 30});
    driftless::detail::segment_list segments{files, "log/p00000", {1, 2}, 0};
    segments.refresh();
    CHECK(segments.at_base(0)->open_sealed(files));
    CHECK(segments.at_base(1)->open_sealed(files));
    file_log<visit_1, packed> const log{"log", options_in(files)};
    std::vector<std::int64_t> times;
    read_all(log, 3, [&](visit_1 const& record, std::uint64_t) { times.push_back(record.at.ns()); });
    CHECK(times == std::vector<std::int64_t>{1, 1, 1, 2, 2, 2, 3, 3, 3});
    auto const block = log.read(0, 1);
    CHECK((block.bounds(0).least == event_time{2} && block.bounds(0).greatest == event_time{2}));
}

namespace {
template <class T> void append_times(memory_files& files, std::uint64_t& attempted, std::uint64_t& acknowledged) {
    file_log<T, packed> log{"log", options_in(files)};
    for (int batch = 0; batch < 3; ++batch) {
        for (int i = 0; i < 15; ++i) {
            T record;
            record.at = event_time{static_cast<std::int64_t>(attempted++)};
            log.append(record);
        }
        log.sync();
        acknowledged = attempted;
    }
    log.close();
}
template <class T> std::uint64_t count_times(memory_files& files) {
    file_log<T, packed> const log{"log", options_in(files, log_access::read)};
    auto const end = log.end_offset();
    std::int64_t next = 0;
    std::uint64_t wrong = 0;
    for (std::uint64_t at = 0; at < end;) {
        auto const block = log.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i) wrong += block[i].at.ns() != next++;
        at += block.size();
    }
    CHECK(wrong == 0);
    return end;
}
}  // namespace

TEST_CASE("whatever goes wrong while versions take turns, what was synced is there for each", "[log][evolution]") {
    using testing::fault;
    std::uint64_t operations = 0;
    for (auto const what : {fault::cut, fault::after}) {
        for (bool const power : {false, true}) {
            for (std::uint64_t nth = 1;; ++nth) {
                memory_files files;
                std::uint64_t attempted = 0;
                std::uint64_t acknowledged = 0;
                files.inject(nth, what);
                bool failed = false;
                try {
                    append_times<visit_1>(files, attempted, acknowledged);
                    append_times<five_times>(files, attempted, acknowledged);
                    append_times<visit_1>(files, attempted, acknowledged);
                } catch (error const&) {
                    failed = true;
                }
                if (!failed && files.operations() < nth) break;
                operations = nth;
                files.inject(0, what);
                if (power) files.lose_power(nth);
                else files.restart();
                INFO("operation " << nth << ", fault " << static_cast<int>(what) << ", loss of power " << power);
                INFO("acknowledged " << acknowledged << " of " << attempted);
                // Whoever comes next goes on.
                std::uint64_t next = 0;
                {
                    file_log<five_times, packed> log{"log", options_in(files)};
                    next = log.end_offset();
                    CHECK((next >= acknowledged && next <= attempted));
                    five_times record;
                    record.at = event_time{static_cast<std::int64_t>(next)};
                    log.append(record);
                    log.close();
                }
                CHECK(count_times<five_times>(files) == next + 1);
                CHECK(count_times<visit_1>(files) == next + 1);
            }
        }
    }
    CHECK(operations > 40);
}

TEMPLATE_TEST_CASE("time bounds of old blocks are those of the records they have become", "[log][evolution]", rows,
    packed, columns) {
    memory_files files;
    append<trade_1, TestType>(files, 0, 10);
    file_log<trade_2, TestType> const log{"log", options_in(files, log_access::read)};
    auto const block = log.read(0, 0);
    REQUIRE(block.size() == 10);
    CHECK((block.bounds(0).least == event_time{123} && block.bounds(0).greatest == event_time{123}));
    CHECK((block.bounds(2).least == event_time{991} && block.bounds(2).greatest == event_time{1000}));
    CHECK(!block.bounds(1).known);
    auto const rest = log.read(0, 4);
    CHECK((rest.size() == 6 && rest[0].cents == -20));
}

TEST_CASE("old records that become larger than a block are read in several", "[log][evolution]") {
    memory_files files;
    {
        auto options = options_in(files);
        options.block_bytes = 65'536;
        options.segment_bytes = 1 << 20;
        file_log<visit_1, columns> log{"log", options};
        for (std::int64_t i = 0; i < 5'000; ++i) log.append(visit_1{event_time{i}, i});
        log.close();
    }
    file_log<visit_3, rows> const log{"log", options_in(files, log_access::read)};
    std::int64_t next = 0;
    std::size_t blocks = 0;
    for (std::uint64_t at = 0; at < 5'000; ++blocks) {
        auto const block = log.read(0, at);
        for (auto const& record : block.records()) {
            REQUIRE(record.at == event_time{next++});
            REQUIRE(record.room[20] == 9);
        }
        at += block.size();
    }
    CHECK(next == 5'000);
    CHECK(blocks > 3);
}

TEST_CASE("a column of structs that the codec wrote is told from one of rows", "[log][evolution]") {
    memory_files files;
    // Each is encoded in 4 bytes, and a row would have 8: a table of ends and the values take as much as rows do.
    static_assert(driftless::detail::column_kind_of<inherited> == driftless::detail::column_kind::encoded);
    static_assert(driftless::detail::column_kind_of<flat> == driftless::detail::column_kind::fixed);
    {
        file_log<holds_inherited, columns> log{"log", options_in(files)};
        for (std::int32_t i = 0; i < 40; ++i) log.append(holds_inherited{{{1000 + i}, 2000 + i}, 1});
        log.close();
    }
    {
        file_log<holds_flat, columns> log{"log", options_in(files)};
        CHECK(log.end_offset() == 40);
        for (std::int32_t i = 40; i < 80; ++i) log.append(holds_flat{{1000 + i, 2000 + i}, 1});
        log.flush();
        log.append(holds_flat{{4, 0x01020304}, 1});  // alone in its block, it looks like an end and 4 bytes
        log.close();
    }
    file_log<holds_wide, columns> const log{"log", options_in(files, log_access::read)};
    read_all(log, 81, [&](holds_wide const& record, std::uint64_t offset) {
        CHECK(record.pair.a == (offset == 80 ? 4 : 1000 + static_cast<std::int64_t>(offset)));
        CHECK(record.pair.b == (offset == 80 ? 0x01020304 : 2000 + static_cast<std::int64_t>(offset)));
    });
}

TEST_CASE("records that are not what their schema says are malformed, with their place", "[log][evolution]") {
    memory_files files;
    {
        file_log<liar, packed> log{"log", options_in(files)};
        log.append(liar{"\x02okay"});
        log.append(liar{"\x7fno"});
        log.close();
    }
    file_log<believer, packed> const log{"log", options_in(files, log_access::read)};
    auto const problem = error_of([&] { static_cast<void>(log.read(0, 0)); });
    CHECK(problem.code() == error_code::malformed);
    CHECK(contains(problem, "record 0 is not what its schema says"));
    CHECK(contains(problem, "bytes are left over after the value"));
    CHECK(problem.path() == "log/p00000/00000000000000000000.segment");
    CHECK(contains(error_of([&] { static_cast<void>(log.read(0, 1)); }), "a length exceeds the bytes that follow"));
    {
        file_log<unsayable, packed> other{"other", options_in(files)};
        other.append(unsayable{});
        other.close();
    }
    CHECK(error_of([&] { file_log<believer, packed>{"other", options_in(files)}; }).code() == error_code::malformed);
}

TEMPLATE_TEST_CASE("a transaction that version 1 prepared is committed by version 2", "[log][evolution][transaction]",
    rows, packed, columns) {
    memory_files files;
    {
        file_log<visit_1, TestType> log{"log", options_in(files)};
        log.append(visit_1{event_time{1}, 1});
        auto later = log.begin();
        for (std::int64_t i = 0; i < 500; ++i) later.append(visit_1{event_time{i}, i * 3});
        later.prepare("p");
    }
    file_log<visit_2, TestType> log{"log", options_in(files)};
    CHECK(log.commit_prepared("p"));
    REQUIRE(log.end_offset() == 501);
    std::int64_t next = 0;
    std::uint64_t wrong = 0;
    for (std::uint64_t at = 1; at < 501;) {
        auto const block = log.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i, ++next) {
            visit_2 const each = block[i];
            wrong += !(each.pages == next * 3 && each.at == event_time{next} && each.clicks == 0);
        }
        at += block.size();
    }
    CHECK(wrong == 0);
}
