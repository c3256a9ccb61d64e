// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/log/key_store.hpp>  // first: proves that the header stands alone
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/toy_cipher.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace driftless;

namespace key_store_test {
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
};
struct order {
    customer_id customer;
    encrypted<customer_id, std::string> email;
    encrypted<customer_id, std::int64_t, 80> phone;
};
struct address {
    std::string street;
};
struct address_v2 {
    std::string street;
    std::string town = "?";
};
struct place {
    std::unique_ptr<testing::memory_files> files = std::make_unique<testing::memory_files>();

    [[nodiscard]] erasure_log_options log_options() const {
        erasure_log_options out;
        out.files = files.get();
        out.clock = [] { return event_time{1'000}; };
        out.id = {1, 2};
        return out;
    }
};
/// An erasure log and a store over it.
struct opened_store {
    erasure_log erasures;
    toy::store keys;

    explicit opened_store(place const& at, toy::key const& master = toy::master())
        : erasures("erasures", at.log_options()), keys("keys", master, erasures, {.files = at.files.get()}) {}
};
std::string bytes_of(place const& at, std::string const& path) {
    auto const bytes = read_whole_file(path, *at.files);
    return bytes ? *bytes : std::string{};
}
void put(place const& at, std::string const& path, std::string_view bytes) {
    auto const into = at.files->open(path, open_mode::create);
    into->truncate(0);
    into->write_at(0, bytes);
    into->sync();
}
}  // namespace key_store_test
BOOST_HANA_ADAPT_STRUCT(key_store_test::customer_id, number);
BOOST_HANA_ADAPT_STRUCT(key_store_test::order, customer, email, phone);
BOOST_HANA_ADAPT_STRUCT(key_store_test::address, street);
BOOST_HANA_ADAPT_STRUCT(key_store_test::address_v2, street, town);
using namespace key_store_test;
using field = encrypted<customer_id, std::string>;

namespace {
std::string from_hex(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out += static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
    return out;
}
error_code code_of(std::function<void()> const& act) {
    try {
        act();
    } catch (error const& problem) {
        return problem.code();
    }
    return error_code::none;
}
}  // namespace

TEST_CASE("what is sealed opens again, also in the next process", "[log][key_store]") {
    place at;
    order o{{7}, {}, {}};
    {
        opened_store with{at};
        CHECK(with.keys.open(o, &order::email).is_empty());
        with.keys.seal(o, &order::email, "ada@example.org");
        with.keys.seal(o.phone, o.customer, 5550123);
        CHECK(o.email.sealed().find("ada") == std::string_view::npos);
        CHECK(with.keys.open(o, &order::email).value() == "ada@example.org");
        CHECK(with.keys.size() == 1);
    }
    opened_store again{at};
    CHECK(again.keys.size() == 1);
    CHECK(*again.keys.open(o.email, {7}) == "ada@example.org");
    CHECK(*again.keys.open(o, &order::phone) == 5550123);
    CHECK(again.keys.cut() == 0);
    field two;
    again.keys.seal(two, {7}, "ada@example.org");
    CHECK(!(two == o.email));  // a nonce of its own
}

TEST_CASE("an erased subject is erased: not an error, and not garbage", "[log][key_store]") {
    place at;
    opened_store with{at};
    order ada{{7}, {}, {}};
    order bob{{8}, {}, {}};
    with.keys.seal(ada, &order::email, "ada@example.org");
    with.keys.seal(bob, &order::email, "bob@example.org");
    auto const file_before = bytes_of(at, "keys/keys");
    CHECK(with.erasures.erase(subject_id::of(customer_id{7}), "asked for") == 1);
    CHECK(with.keys.open(ada, &order::email).is_erased());  // at once, before the key has gone
    CHECK(with.keys.is_erased(subject_id::of(customer_id{7})));
    CHECK(with.keys.apply_erasures() == 1);
    CHECK(with.keys.apply_erasures() == 0);
    CHECK(with.keys.open(ada, &order::email).state() == opened_state::erased);
    CHECK(with.keys.open(ada, &order::email).value_or("gone") == "gone");
    CHECK(code_of([&] { static_cast<void>(with.keys.open(ada, &order::email).value()); }) == error_code::not_there);
    CHECK(*with.keys.open(bob, &order::email) == "bob@example.org");
    CHECK(with.keys.size() == 1);
    CHECK(bytes_of(at, "keys/keys").size() < file_before.size());
    CHECK(code_of([&] { with.keys.seal(ada, &order::email, "again"); }) == error_code::not_there);
    std::vector<customer_id> const both{{9}, {7}};
    CHECK(code_of([&] { with.keys.make_keys(both); }) == error_code::not_there);
    CHECK(with.keys.size() == 1);
    CHECK(with.erasures.erase(subject_id::of(customer_id{9})) == 2);  // one that nobody has seen
    CHECK(with.erasures.erase(subject_id::of(customer_id{7})) == 1);  // it is
}

TEST_CASE("a subject that is back has a key of its own, and what was erased stays so", "[log][key_store]") {
    place at;
    order before{{7}, {}, {}};
    order after{{7}, {}, {}};
    {
        opened_store with{at};
        with.keys.seal(before, &order::email, "old");
        with.erasures.erase(subject_id::of(customer_id{7}));
        with.keys.apply_erasures();
        CHECK(with.erasures.readmit(subject_id::of(customer_id{7})));
        CHECK(!with.erasures.readmit(subject_id::of(customer_id{7})));
        CHECK(with.keys.open(before, &order::email).is_erased());
        with.keys.seal(after, &order::email, "new");
    }
    opened_store again{at};
    CHECK(again.keys.open(before, &order::email).is_erased());
    CHECK(*again.keys.open(after, &order::email) == "new");
    CHECK(again.erasures.subjects().empty());
    CHECK(again.erasures.erase(subject_id::of(customer_id{7})) == 2);
    CHECK(again.keys.open(after, &order::email).is_erased());
}

TEST_CASE("a key store brought back from before an erasure does not bring the key back", "[log][key_store]") {
    place at;
    order ada{{7}, {}, {}};
    std::string backup;
    std::string empty_backup;
    {
        opened_store with{at};
        empty_backup = bytes_of(at, "keys/keys");
        with.keys.seal(ada, &order::email, "ada@example.org");
        backup = bytes_of(at, "keys/keys");
        with.erasures.erase(subject_id::of(customer_id{7}));
        with.keys.apply_erasures();
    }
    put(at, "keys/keys", backup);
    {
        opened_store with{at};
        CHECK(with.keys.open(ada, &order::email).is_erased());
        CHECK(with.keys.size() == 0);
        CHECK(bytes_of(at, "keys/keys") != backup);
        CHECK(bytes_of(at, "keys/keys").size() == empty_backup.size());
    }
    put(at, "keys/keys", backup);
    erasure_log erasures{"erasures", at.log_options()};
    toy::store const reader{"keys", toy::master(), erasures, {.access = log_access::read, .files = at.files.get()}};
    CHECK(reader.open(ada, &order::email).is_erased());  // and a reader, which rewrites nothing
    CHECK(reader.size() == 0);
}

TEST_CASE("a key store is refused with another master key, log or cipher", "[log][key_store]") {
    place at;
    { opened_store{at}.keys.make_keys(std::vector<customer_id>{{1}, {2}, {1}}); }
    CHECK(opened_store{at}.keys.size() == 2);
    CHECK(code_of([&] { opened_store{at, toy::master('x')}; }) == error_code::mismatch);
    {
        opened_store with{at};
        CHECK(code_of([&] { toy::store{"keys", toy::master(), with.erasures, {.files = at.files.get()}}; })
            == error_code::in_use);
    }
    auto options = at.log_options();
    options.id = {3, 4};
    erasure_log other{"others", options};
    CHECK(code_of([&] { toy::store{"keys", toy::master(), other, {.files = at.files.get()}}; })
        == error_code::mismatch);
    // An erasure log that lacks what the store has seen.
    {
        opened_store with{at};
        with.erasures.erase(subject_id::of(customer_id{1}));
        with.keys.apply_erasures();
    }
    erasure_log fresh{"fresh", at.log_options()};  // the same id, and no erasures: an old copy
    CHECK(code_of([&] { toy::store{"keys", toy::master(), fresh, {.files = at.files.get()}}; })
        == error_code::mismatch);
    auto bytes = bytes_of(at, "keys/keys");
    bytes[60] ^= 1;  // in the header
    put(at, "keys/keys", bytes);
    CHECK(code_of([&] { opened_store{at}; }) == error_code::corrupt);
    put(at, "keys/keys", "garbage");
    CHECK(code_of([&] { opened_store{at}; }) == error_code::corrupt);
}

TEST_CASE("damage inside a key store is an error, an entry that was not finished is cut", "[log][key_store]") {
    place at;
    { opened_store{at}.keys.make_keys(std::vector<customer_id>{{1}, {2}, {3}}); }
    auto const whole = bytes_of(at, "keys/keys");
    auto const head = whole.find("DKEY");
    auto const size = (whole.size() - head) / 3;
    for (std::size_t i = head; i < head + size; ++i) {  // the first entry: wherever it is damaged
        auto bytes = whole;
        bytes[i] ^= 1;
        put(at, "keys/keys", bytes);
        CHECK(code_of([&] { opened_store{at}; }) == error_code::corrupt);
    }
    for (std::size_t cut = 1; cut < size; cut += 7) {
        put(at, "keys/keys", whole.substr(0, whole.size() - cut));
        opened_store with{at};
        CHECK(with.keys.size() == 2);
        CHECK(with.keys.cut() == size - cut);
        CHECK(!with.keys.has_key(subject_id::of(customer_id{3})));
    }
    CHECK(bytes_of(at, "keys/keys").size() == whole.size() - size);
}

TEST_CASE("sealed bytes are bound to their subject, their schema and their key", "[log][key_store]") {
    place at;
    opened_store with{at};
    order ada{{7}, {}, {}};
    order bob{{8}, {}, {}};
    with.keys.seal(ada, &order::email, "ada@example.org");
    with.keys.seal(bob, &order::email, "bob@example.org");
    bob.email = ada.email;  // another's value
    CHECK(with.keys.try_open(bob, &order::email).error().code() == error_code::mismatch);
    CHECK(with.keys.try_open(ada.email, customer_id{9}).error().code() == error_code::not_there);
    std::string const sealed{ada.email.sealed()};
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] ^= 1;
        auto const result = with.keys.try_open(field::from_sealed(changed), customer_id{7});
        CHECK(!result);  // never a value
    }
    for (std::size_t size = 1; size < sealed.size(); ++size) {
        CHECK(!with.keys.try_open(field::from_sealed(sealed.substr(0, size)), customer_id{7}));
    }
}

TEST_CASE("one key does not open what it sealed for another subject or schema", "[log][key_store]") {
    auto const key = toy::key::make();
    auto const seven = subject_id::of(customer_id{7});
    auto const sealed = driftless::detail::seal_value<toy::cipher>({0, 5, "text"}, seven, "value", key);
    auto const head = driftless::detail::sealed_head::read(sealed);
    std::string plain;
    CHECK(driftless::detail::open_value<toy::cipher>(sealed, head, seven, key, plain));
    CHECK(plain == "value");
    auto const eight = subject_id::of(customer_id{8});
    CHECK(!driftless::detail::open_value<toy::cipher>(sealed, head, eight, key, plain));
    auto other = sealed;
    other.replace(other.find("text"), 4, "time");
    CHECK(!driftless::detail::open_value<toy::cipher>(other, driftless::detail::sealed_head::read(other), seven, key,
        plain));
}

// Written by format 1: of a customer with number 7, and of one with number 8, who was erased and is back. That the test
// goes red is right only where a new format comes beside this one, and never because these bytes do not open any more.
TEST_CASE("the bytes of a key file and of sealed values are those of format 1", "[log][key_store][golden]") {
    auto const keys = from_hex(
        "445246544b455953010000006500000081ea2ac779f9357f29a8c6ce55bb44e101000000000000000200000000000000"
        "00000000000000000300746f79c45170955b351a68d466cef99b4463c7aad38577fca064194a684b2180cee5c7d997f0"
        "9abf610a1d444b45595d0000003f753ac0170cc65f0000000000000000e80300000000000011000000637573746f6d65"
        "7200000000000000000732a759fed29582d47b22e78d6b32bd11df5823c59a05ec462cdd3e962ec0e0dbd436a21c9417"
        "26dc444b45595d0000004e7bc52820595b470100000000000000e80300000000000011000000637573746f6d65720000"
        "000000000000080f7c8e76834dbc383e4f40599f8c37529c2be37af6143de1f09af3a2753d34096e5e6546b37126ec");
    auto const text = from_hex(
        "01003f753ac0170cc65f047465787490257a0336e6efb6e1a12a307ec93e7ed0a8a0749d63c61aa1a9d14ab5a8851b");
    auto const street = from_hex(
        "01014e7bc52820595b470d7b7374726565743a746578747d451146789aaefb912a4824ea6cfe0d4712c7eea28e3f1be2"
        "30d85cf7");
    place at;
    {
        erasure_log erasures{"erasures", at.log_options()};
        erasures.erase(subject_id::of(customer_id{8}));
        erasures.readmit(subject_id::of(customer_id{8}));
        at.files->make_folder("keys");
    }
    put(at, "keys/keys", keys);
    opened_store const with{at};
    CHECK(with.keys.size() == 2);
    CHECK(with.keys.open(field::from_sealed(text), {7}).value() == "ada@example.org");
    CHECK(with.keys.open(encrypted<customer_id, address>::from_sealed(street), {8}).value().street == "Main Street");
    CHECK(bytes_of(at, "keys/keys") == keys);

    namespace detail = driftless::detail;
    auto const file = detail::key_file::read(keys, "keys", "toy", 8, 24);
    auto again = encode(file.header);
    for (auto const& each : file.entries) again += encode(each, file.header.store);
    CHECK(again == keys);
    for (auto const& sealed : {text, street}) {
        auto const head = detail::sealed_head::read(sealed);
        std::string written;
        head.write(written);
        CHECK(written == sealed.substr(0, head.size));
        CHECK(sealed.size() == head.size + 8 + (head.schema == "text" ? 16 : 12) + 8);
    }
}

TEST_CASE("without keys there is an error that says what to give", "[log][key_store]") {
    place at;
    opened_store with{at};
    order ada{{7}, {}, {}};
    CHECK(open(ada.email, {7}, nullptr).is_empty());
    with.keys.seal(ada, &order::email, "ada@example.org");
    CHECK(*open(ada.email, {7}, &with.keys) == "ada@example.org");
    try {
        static_cast<void>(open(ada.email, {7}, nullptr));
        FAIL("it opened");
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::not_bound);
        CHECK(std::string{problem.what()}.find("give the key store") != std::string::npos);
    }
    // A store from before the key was made.
    place elsewhere;
    opened_store other{elsewhere};
    CHECK(other.keys.try_open(ada, &order::email).error().code() == error_code::not_there);
    field fresh;
    other.keys.seal(fresh, {7}, "x");
    CHECK(other.keys.try_open(ada, &order::email).error().code() == error_code::mismatch);
}

TEST_CASE("a value that was sealed with an older schema is read by the rules", "[log][key_store]") {
    place at;
    opened_store with{at};
    encrypted<customer_id, address> old;
    with.keys.seal(old, {7}, address{"Main Street"});
    auto const now = encrypted<customer_id, address_v2>::from_sealed(old.sealed());
    for (int i = 0; i < 2; ++i) {
        auto const there = with.keys.open(now, {7});
        CHECK(there.value().street == "Main Street");
        CHECK(there.value().town == "?");
    }
    auto const other = encrypted<customer_id, std::int64_t>::from_sealed(old.sealed());
    CHECK(with.keys.try_open(other, customer_id{7}).error().code() == error_code::mismatch);
}

TEST_CASE("a reader takes new keys and erasures when it refreshes", "[log][key_store]") {
    place at;
    opened_store with{at};
    auto options = at.log_options();
    options.access = log_access::read;
    erasure_log erasures{"erasures", options};
    toy::store reader{"keys", toy::master(), erasures, {.access = log_access::read, .files = at.files.get()}};
    order ada{{7}, {}, {}};
    with.keys.seal(ada, &order::email, "ada@example.org");
    CHECK(reader.try_open(ada, &order::email).error().code() == error_code::not_there);
    CHECK(code_of([&] { reader.seal(ada, &order::email, "x"); }) == error_code::stopped);
    reader.refresh();
    CHECK(*reader.open(ada, &order::email) == "ada@example.org");
    with.erasures.erase(subject_id::of(customer_id{7}));
    with.keys.apply_erasures();
    reader.refresh();
    CHECK(reader.open(ada, &order::email).is_erased());
}

TEST_CASE("rewrapping changes the master key and seals nothing anew", "[log][key_store]") {
    place at;
    order ada{{7}, {}, {}};
    {
        opened_store with{at};
        with.keys.seal(ada, &order::email, "ada@example.org");
        with.keys.rewrap(toy::master('n'));
        CHECK(*with.keys.open(ada, &order::email) == "ada@example.org");
        with.keys.make_keys(std::vector<customer_id>{{8}});
    }
    CHECK(!toy::store::opens("keys", toy::master(), *at.files));
    CHECK(toy::store::opens("keys", toy::master('n'), *at.files));
    CHECK(code_of([&] { opened_store{at}; }) == error_code::mismatch);
    opened_store with{at, toy::master('n')};
    CHECK(with.keys.size() == 2);
    CHECK(*with.keys.open(ada, &order::email) == "ada@example.org");
}

TEST_CASE("keys are wiped from memory when they go", "[log][key_store]") {
    place at;
    opened_store with{at};
    with.keys.make_keys(std::vector<customer_id>{{7}});
    with.erasures.erase(subject_id::of(customer_id{7}));
    auto const before = toy::cipher::wiped;
    with.keys.apply_erasures();
    CHECK(toy::cipher::wiped >= before + toy::cipher::key_size);
}
