// SPDX-License-Identifier: BSL-1.0
#include <boost/hana/adapt_struct.hpp>

#include <driftless/adapt/sodium.hpp>  // first: proves that the header stands alone
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstdint>
#include <cstring>
#include <string>

#include <sys/stat.h>

using namespace driftless;

namespace sodium_test {
std::string from_hex(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        out += static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
    }
    return out;
}
}  // namespace sodium_test
using namespace sodium_test;

TEST_CASE("sodium_cipher is XChaCha20-Poly1305 as the draft has it", "[adapt][sodium]") {
    // draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    std::string const plain =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would "
        "be it.";
    auto const beside = from_hex("50515253c0c1c2c3c4c5c6c7");
    auto const key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    auto const nonce = from_hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    auto const expected = from_hex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c2"
        "16cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c6"
        "8b13b52ec0875924c1c7987947deafd8780acf49");
    std::string sealed(plain.size() + sodium_cipher::tag_size, '\0');
    sodium_cipher::seal(sealed.data(), plain, beside, nonce.data(), key.data());
    CHECK(sealed == expected);
    std::string back(plain.size(), '\0');
    CHECK(sodium_cipher::open(back.data(), sealed, beside, nonce.data(), key.data()));
    CHECK(back == plain);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto wrong = sealed;
        wrong[i] ^= 1;
        CHECK(!sodium_cipher::open(back.data(), wrong, beside, nonce.data(), key.data()));
    }
    CHECK(!sodium_cipher::open(back.data(), sealed, beside.substr(1), nonce.data(), key.data()));
}

TEST_CASE("keys of sodium differ, and are wiped", "[adapt][sodium]") {
    auto one = sodium_key::make();
    auto const two = sodium_key::make();
    CHECK(one.view() != two.view());
    CHECK(one.view() != std::string(sodium_key::size(), '\0'));
    sodium_cipher::wipe(one.data(), one.size());
    CHECK(one.view() == std::string(sodium_key::size(), '\0'));
}

TEST_CASE("the files of a key store are for their owner alone", "[adapt][sodium]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/keys";
    auto const master = sodium_key::make();
    encrypted<std::uint64_t, std::string> field;
    auto const mode_of = [&](std::string const& name) {
        struct ::stat of{};
        REQUIRE(::stat((path + "/" + name).c_str(), &of) == 0);
        return of.st_mode & 0777U;
    };
    {
        erasure_log erasures{folder.path() + "/erasures"};
        sodium_key_store keys{path, master, erasures};
        keys.seal(field, 7, "ada@example.org");
        CHECK(mode_of("keys") == 0600U);
        CHECK(mode_of("lock") == 0600U);
        keys.seal(field, 8, "bob@example.org");
        keys.rewrap(master);
        CHECK(mode_of("keys") == 0600U);
    }
    erasure_log erasures{folder.path() + "/erasures"};
    sodium_key_store const keys{path, master, erasures};
    CHECK(*keys.open(field, 8) == "bob@example.org");
    CHECK(keys.try_open(field, std::uint64_t{7}).error().code() == error_code::mismatch);
}
