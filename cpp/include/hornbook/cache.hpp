// What the encoder remembers: pre-token -> ids. One per worker, bounded, and never able to change the output.
//
// An entry is 32 bytes, key and value; two make a bucket, which is a cache line. The value holds the ids themselves
// where they fit (seven of 16 bits or three of 32), otherwise a place in the arena, where longer pre-tokens have their
// bytes too. An entry that finds its bucket full lies in a later one; when it is asked for it changes places with the
// second entry of its own, so what is frequent is found at once. When the next growth would pass the limit, everything
// is forgotten; when memory cannot be had, nothing new is remembered.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "hornbook/keys.hpp"
#include "hornbook/memory.hpp"

namespace hornbook {

template <class Id>
class EncodeCache {
 public:
  static constexpr size_t kInline = (16 - sizeof(Id)) / sizeof(Id);
  static constexpr Id kElsewhere = static_cast<Id>(~Id{0});
  static constexpr size_t kLongestText = 1024;  // longer pre-tokens are not remembered

  struct Entry {
    Key key;
    Id ids[kInline];
    Id count;  // of ids, or kElsewhere: then `record` says where
  };
  static_assert(sizeof(Entry) == 32);
  struct alignas(64) Bucket {
    Entry entries[2];
  };

  struct Record {  // in the arena, followed by the ids and the text
    uint32_t num_ids, num_bytes;
    const Id* ids() const { return reinterpret_cast<const Id*>(this + 1); }
    const uint8_t* text() const { return reinterpret_cast<const uint8_t*>(ids() + num_ids); }
  };

  explicit EncodeCache(size_t limit_bytes) : limit_(limit_bytes) {
    if (storage_.try_allocate(kFirstBuckets)) use_storage();
  }
  EncodeCache(const EncodeCache&) = delete;
  EncodeCache& operator=(const EncodeCache&) = delete;

  // Where entries lie until the next `insert`: a loop keeps it in registers. Without memory it is one empty bucket.
  struct Table {
    const Bucket* buckets;
    size_t mask;
    const Bucket* home(uint64_t hash) const { return buckets + (hash & mask); }
    bool operator==(const Table&) const = default;
  };
  Table table() const { return {buckets_, mask_}; }

  // The entry with this key in its own bucket, or nullptr. Which of the two it is cannot be foreseen, so no branch may
  // depend on it: the second entry's comparison picks one, and that one is compared. (A compiler that sees through this
  // makes two branches of it again; the empty statement stops it.) A long pre-token's entry is only probably the one:
  // see `is`.
  static const Entry* find_home(const Key& key, const Bucket* home) {
    const Entry* e = home->entries;
    e += e[1].key == key;
    asm("" : "+r"(e));
    return e->key == key ? e : nullptr;
  }

  // Whether the record's entry, which has the key of this pre-token, is the entry of this pre-token.
  static bool is(const Record& r, const Key& key, const uint8_t* text, size_t length) {
    return !key.is_long() || (r.num_bytes == length && std::memcmp(r.text(), text, length) == 0);
  }

  // The entry of this pre-token wherever it lies, or nullptr.
  const Entry* find(const Key& key, uint64_t hash, const uint8_t* text, size_t length) {
    Entry* const home = buckets_[hash & mask_].entries;
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      Entry* const entries = buckets_[at].entries;
      for (Entry* e = entries; e < entries + 2; ++e) {
        if (e->key.high == 0) return nullptr;
        if (!(e->key == key) || (key.is_long() && !is(record(*e), key, text, length))) continue;
        if (entries == home) return e;
        // All buckets from its own to this one are full, so both can be found where they are now.
        std::swap(*e, home[1]);
        return home + 1;
      }
    }
  }

  const Record& record(const Entry& e) const {
    const Record* place;
    std::memcpy(&place, e.ids, sizeof place);
    return *place;
  }

  // Remembers `ids` (symbols already as ids). The key must not be there.
  void insert(const Key& key, uint64_t hash, const uint8_t* text, size_t length, const Id* ids, size_t count) {
    if (length > kLongestText || !reserve()) return;
    Entry fresh{};
    fresh.key = key;
    if (count <= kInline && !key.is_long()) {
      std::memcpy(fresh.ids, ids, count * sizeof(Id));
      fresh.count = static_cast<Id>(count);
    } else {
      const size_t text_bytes = key.is_long() ? length : 0;
      uint8_t* place = allocate(sizeof(Record) + count * sizeof(Id) + text_bytes);
      if (!place) return;
      const Record head{static_cast<uint32_t>(count), static_cast<uint32_t>(text_bytes)};
      std::memcpy(place, &head, sizeof head);
      std::memcpy(place + sizeof head, ids, count * sizeof(Id));
      std::memcpy(place + sizeof head + count * sizeof(Id), text, text_bytes);
      std::memcpy(fresh.ids, &place, sizeof place);
      fresh.count = kElsewhere;
    }
    place(fresh, hash);
    ++size_;
  }

  size_t memory() const {
    size_t total = storage_.bytes();
    for (const auto& slab : slabs_) total += slab.bytes();
    return total;
  }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kFirstBuckets = size_t{1} << 12;
  static constexpr size_t kSlab = size_t{1} << 18;

  void use_storage() {
    buckets_ = storage_.data();
    mask_ = storage_.size() - 1;
  }

  void place(const Entry& e, uint64_t hash) {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      Entry* const entries = buckets_[at].entries;
      if (entries[1].key.high) continue;
      entries[entries[0].key.high != 0] = e;
      return;
    }
  }

  bool reserve() {
    if (!storage_.data()) return false;
    if ((size_ + 1) * 8 <= (mask_ + 1) * 10) return true;
    const size_t twice = 2 * storage_.size();
    HugeArray<Bucket> old;
    if (memory() + twice * sizeof(Bucket) > limit_ || !old.try_allocate(twice)) {
      forget();
      return true;
    }
    old.swap(storage_);
    use_storage();
    for (size_t i = 0; i < old.size(); ++i) {
      for (const Entry& e : old[i].entries) {
        if (e.key.high) place(e, hash_key(e.key));
      }
    }
    return true;
  }

  void forget() {
    std::memset(static_cast<void*>(storage_.data()), 0, storage_.size() * sizeof(Bucket));
    slabs_.clear();
    slab_used_ = size_ = 0;
  }

  uint8_t* allocate(size_t bytes) {
    bytes = (bytes + 7) / 8 * 8;
    if (slabs_.empty() || slab_used_ + bytes > slabs_.back().size()) {
      if (memory() + kSlab > limit_) {
        forget();
        return nullptr;
      }
      HugeArray<uint8_t> slab;
      if (!slab.try_allocate(kSlab)) return nullptr;
      slabs_.push_back(std::move(slab));
      slab_used_ = 0;
    }
    uint8_t* place = slabs_.back().data() + slab_used_;
    slab_used_ += bytes;
    return place;
  }

  HugeArray<Bucket> storage_;
  Bucket empty_{};
  Bucket* buckets_ = &empty_;
  size_t mask_ = 0, size_ = 0, limit_;
  std::vector<HugeArray<uint8_t>> slabs_;
  size_t slab_used_ = 0;
};

}  // namespace hornbook
