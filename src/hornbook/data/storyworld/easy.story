# The level "easy": short stories, few words, and few things to remember (two children, one thing, one place).
# docs/storyworld.md describes the notation.

class child
  +f: Lily, Mia, Anna, Sue, Rose, Ella, Kate, Amy
  +m: Tom, Ben, Max, Sam, Jack, Tim, Leo, Dan

class toy
  ball, kite, doll, boat, drum, car, hat, cup, book, bell, train, robot, ring, flag, map, lamp

class day
  Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday

class snack
  cake, bread, soup, jam, milk, cheese, rice, honey, nuts, corn, apples, plums, figs, eggs, berries, beans

class kin
  +f: mom, sister, aunt, granny
  +m: dad, brother, uncle, grandpa

class pet
  dog, cat, duck, frog, hen, pig, fox, bird, goat, mouse, bear, deer, toad, crow, mole, lamb

class color
  red, blue, green, pink, white, black, yellow, brown, gray, gold, silver, purple, tan, lilac, ruby, teal

class place
  park, garden, wood, field, lake, hill, barn, school, farm, beach, pond, shop, town, yard, zoo, river

story = <opening> <plot> <night>

opening :
  Once there was a {:trait} child named {hero:child}. {hero.He} <loved> {p1:pastime}, {p2:pastime} and {p3:pastime}. <meal>
  {hero:child} was a {t1:trait}, {t2:trait} child. {hero.He} <loved> {p1:pastime} and {p2:pastime}. <meal>
  There was a child named {hero:child} who <loved> {:pastime}. {hero.He} was very {t1:trait} and very {t2:trait}. <meal>
  {hero:child} and {hero.his} {:kin} <loved> {:pastime}. {hero} was a {:trait} child. <meal>

meal :
  On {:day} {hero.he} ate {s1:snack}, {s2:snack} and {s3:snack}.
  {hero.His} {:kin} gave {hero.him} some {s1:snack} and {s2:snack} on {:day}.
  It was a {:sky} {:day}. {hero.He} had some {:snack} with {hero.his} {:kin}.
  It was {:day}, and it was {:sky}. {hero} wore {:color.a} coat and {:color.a} scarf.

class sky
  sunny, windy, cold, warm, cloudy, snowy, foggy, hot

class trait
  nice, kind, happy, funny, brave, quiet, good, clever, smart, shy, sweet, wild, strong, calm, proud, silly

loved = loved to|liked to|wanted to

class pastime
  play, sing, run, draw, dance, jump, read, swim, bake, climb, hop, paint, skate, dig, fish, sew

feel_good = happy|glad|proud
feel_bad = sad|upset|sorry
size = big|small|new|old|nice|pretty
a_size = [a big|a small|a new|an old|a nice|a pretty]

plot = 3:<lost>|3:<broken>|3:<shared>|3:<animal>|2:<rain>|2:<garden>|2:<baking>|2:<race>|2:<dark>|2:<gift>|<picnic>|<treasure>

where = <near> the {:place}|<near> {:color.a} <item>
near = by|near|behind|under
item = bed|door|box|tree|chair|rock|bush|wall

lost :
  One {:time}, {hero} could not find {hero.his} <size> {:color} {toy:toy}. {hero.He} was <feel_bad>. <looked> {friend:child} came to help. <found> <thanks>

class time
  day, morning, afternoon, evening, night

looked :
  {hero.He} looked in the {:place}, but it was not there.
  {hero.He} asked {hero.his} {:kin}, but no one had seen it.
  "Where is my {toy}?" {hero.he} [said|asked|cried].

found :
  {friend} looked <where>. The {toy} was there!
  "I see it!" said {friend}. The {toy} was <where>.
  A {:pet} had the {toy}! {friend} [ran|went] to get it back.

thanks :
  "Thank you, {friend}!" said {hero}. {hero.He} was <feel_good> to have the {toy} [again|back].
  {hero} gave {friend} a [hug|kiss|flower|cookie]. Then they played with the {toy} [all day|until night|in the {:place}].
  Now {hero} and {friend} are [best|good|great] friends.

broken :
  {hero} and {friend:child} played with <a_size> {:color} {toy:toy}. It was {friend}'s {toy}. Then the {toy} [fell down|hit a wall|hit a rock] and broke. {friend} was <feel_bad>. <excuse> <mended>

excuse :
  "I am sorry, {friend}," said {hero}. "I will [fix|mend] it."
  {hero} said, "It was me. I [can|will] fix your {toy}."
  "Do not cry, {friend}," {hero} said. "We [can|will] fix it."

mended :
  {hero} got some [glue|tape|string|wood] and fixed the {toy}. {friend} was <feel_good>. They played [again|all day|until night].
  {hero.His} {:kin} helped. Soon the {toy} was [as good as new|fine|better than before]. {friend} was <feel_good>.
  They worked all {:time}. In the end {friend}'s {toy} was [as good as new|fine|better than before]. "Thank you, {hero}!" said {friend}.

shared :
  One {:time}, {hero} had <a_size> {:color} {toy:toy}. {friend:child} saw it. "Can I play with your {toy}?" asked {friend}. <answer>

answer :
  2: "Yes," said {hero}. "We can play in the {place:place}." They went to the {place} and played with the {toy} [all day|until night|in the sun]. {friend} gave the {toy} back to {hero}. <shared_end>
  "No," said {hero}. "It is mine." {friend} was <feel_bad>. Then {hero} felt <feel_bad> too. {hero.He} gave the {toy} to {friend}. "We can play with it together," {hero.he} said. <shared_end>

shared_end :
  "It is [fun|good|nice] to share," said {hero}.
  Both of them were <feel_good>.
  From that day, {hero} and {friend} [played|sang|ran|danced] together every {:time}.

animal :
  {hero} went to the {place:place}. There {hero.he} saw <a_size> {:color} {pet:pet}. The {pet} was <trouble>. <kindness> The {pet} was <feel_good>. <pet_end>

# The last lines of every story: what was there at the beginning comes back.
night :
  Then {hero} went home and had {:snack} with {hero.his} {:kin}.
  That night, {hero} told {hero.his} {listener:kin} about it all. "You are very {:trait}," said {hero.his} {listener}.
  When it was dark, {hero} [slept|sang|read a book] and dreamed of {:color.a} {:pet}.
  On {:day}, {hero} wanted to {p1:pastime} and {p2:pastime} again.

trouble = lost|cold|hungry|wet|hurt|stuck in a tree|stuck in the mud|all alone

kindness :
  {hero} gave it some {s1:snack} and {s2:snack}.
  "Do not be afraid, {pet}," said {hero}. {hero.He} held it [in {hero.his} arms|for a long time].
  {hero} called {friend:child}. "We have to help this {pet}!" {hero.he} said. They [took it home|got it some food|made a bed for it].

pet_end :
  The {pet} lived with {hero} from that day.
  Then the {pet} found its {:kin} in the {place}. {hero} said, "Bye, {pet}!"
  Every {:time}, {hero} went back to the {place} to see the {pet}.

rain :
  {hero} wanted to go to the {place:place} with {friend:child}. But it began to rain. {hero} was <feel_bad>. <rain_idea> At last the sun came out. They went to the {place} and [saw a rainbow|jumped in the mud|played until night]. <day_end(hero)>

rain_idea :
  "We can play with my {toy:toy}," said {friend}. They played with the {toy} inside.
  {friend} said, "We can [read|sing|dance|draw|bake]!" And they did, and had [fun|a good time].
  They sat by the window and waited [all {:time}|for a long time].

garden :
  {hero} put a [seed|small seed|round seed] in the garden. {hero.He} gave it water every {:time}. {friend:child} said, "It will not grow." But {hero} [waited|did not stop|sang to it]. One {:time}, there was <a_size> {:color} [flower|tree|apple|bean]! {friend} was surprised. <day_end(hero)>

baking :
  {hero} wanted to make a [cake|pie|soup] for {friend:child}. {hero.He} [got|took] some {s1:snack} and some {s2:snack}. <mishap> {friend} came and ate it all. "It is so [good|nice|sweet]!" said {friend}. <day_end(hero)>

mishap :
  Oh no! {hero} dropped it on the floor. So {hero.he} made it [again|one more time].
  It was hot, so {hero} waited. It smelled [good|nice|sweet].
  {hero.His} {:kin} helped {hero.him} to bake it.

race :
  {hero} and {friend:child} had a race to the {place:place}. "I am very fast," said {friend}. They ran and ran. <race_turn>

race_turn :
  {friend} fell [down|in the mud|on a rock]. {hero} stopped to help {friend.him}. So they went to the {place} together. <day_end(friend)>
  {hero} was the first at the {place}! {friend} was <feel_bad>, but {friend.he} said, "Good job, {hero}." <day_end(hero)>
  {friend} was the first at the {place}! "You are fast, {friend}!" said {hero}. <day_end(friend)>

dark :
  It was night, and {hero} was afraid. {hero.He} heard a [loud|strange|scary] noise. "Is it a [ghost|bear|monster|wolf]?" asked {hero}. {hero.He} [looked|went to look] with <a_size> light. It was only {:color.a} {pet:pet}! {hero} [laughed|smiled]. The {pet} [slept in {hero.his} bed|stayed with {hero.him} all night|was {hero.his} friend now]. <day_end(hero)>

gift :
  It was {friend:child}'s birthday. {hero} [made|bought|found] <a_size> {:color} {toy:toy} for {friend.him}. But on the way to the {place:place}, it got [wet|lost|dirty]. "Oh no!" said {hero}. <gift_end>

gift_end :
  {hero} told {friend} about the {toy}. "It is fine," said {friend}. "You are my [best|good] friend." <day_end(friend)>
  {hero.He} sang a song for {friend} [at the party|instead]. {friend} loved the song more than [a {toy}|any gift]. <day_end(friend)>

picnic :
  {hero} and {friend:child} took some {s1:snack} and {s2:snack} to the {place:place}. {:color.A} {pet:pet} came and [ate|took] it all! "Bad {pet}!" said {hero}. But {friend} [laughed|smiled]. "It was hungry," {friend.he} said. They [gave it some water|went home|played with it]. <day_end(hero)>

treasure :
  {hero} found an old map in a {toy:toy}. It showed the {place:place}. {hero} and {friend:child} went there and dug [a hole|for a long time]. They found <a_size> box. In the box was [gold|a ring|a crown|a key|a letter]! <day_end(friend)>

day_end(who) :
  {who} had {s1:snack} and {s2:snack} for dinner.
  {who} was <feel_good>.
  It was [a good|a great|the best] day.
  That night, {who} had a [good|happy|funny] dream.
