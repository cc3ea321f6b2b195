# The level "easy": short stories, few words, and few things to remember (two children, one thing, one place).
# docs/storyworld.md describes the notation.

class child
  +f: Lily, Mia, Anna, Sue, Rose, Ella, Kate, Amy
  +m: Tom, Ben, Max, Sam, Jack, Tim, Leo, Dan

class toy
  ball, kite, doll, boat, drum, car, hat, cup, book, bell, train, robot, flag, lamp, bag, truck

class day
  Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday

class snack
  +bake: milk, honey, nuts, rice, apples, plums, eggs, berries, pears
  cake, bread, soup, jam, cheese, corn, beans

class kin
  +f: mom, sister, aunt, granny
  +m: dad, brother, uncle, grandpa

# What an animal looks like and says.
class pet
  +home: dog is=brown say=Woof, cat is=gray say=Meow, duck is=white say=Quack, hen is=brown say=Cluck, goat is=white say=Maa
  pig is=pink say=Oink, bird is=blue say=Tweet, mouse is=gray say=Squeak, lamb is=white say=Baa, owl is=brown say=Hoot
  crow is=black say=Caw

class color
  red, blue, green, yellow, white, black, pink, brown

class size
  big, small, new, old, nice, pretty

class place
  +home +dig: park, wood, field, hill, farm, beach
  +home: lake, pond, zoo, river
  +dig: garden, yard
  barn, school, shop

class trait
  +good: nice, kind, brave, good, clever, strong
  happy, funny, quiet, shy, wild, calm, proud, silly

class pastime
  play, sing, run, draw, dance, jump, read, bake, climb, hop, paint, skate, dig, fish

story = <opening> <first> <plot> <night>

# Who it is about and what the day is like. What was said here (start) can come back in the last lines.
opening :
  3: [Once there was|There was once|This is the story of] a {:trait} child named {hero:child}. <likes> <sky>
  2: {hero:child} was [a {t1:trait}, {t2:trait} child|very {t1:trait}, and {t2:trait}, too]. <likes> <sky>
  2: {hero:child} lived [by|near] the {:place+home} with {hero.his} {folk:kin}. {!start=kin}<sky>
  In a [small|big|little] {:color} house lived {hero:child} and {hero.his} {folk:kin}. {!start=kin}<sky>
  2: {hero:child} had {mate:pet+home.a}. {!start=pet}[It was {mate.is} and {:trait}.|The {mate} went with {hero.him} to school.|"{mate.say}!" it said, all day long.] <sky>
  {hero:child} and {hero.his} {mate:pet+home} [were best friends|did everything together]. {!start=pet}<sky>
  "{mate:pet+home.say}!" said the {mate}, and {hero:child} woke up. {!start=pet}<sky>
  2: "[Get up|Good morning|Wake up|Come here|Look at the time], {hero:child}!" said {hero.his} {folk:kin}. {!start=kin}<sky>
  2: "[What can we do today|Can I go out and play|Is it day now|Do you love me]?" {hero:child} asked {hero.his} {folk:kin}. {!start=kin}<sky>
  2: <sky> {!start=none}{hero:child} [had nothing to do at all|sat by the window and looked out|wanted to go out and play|had some {:snack} and got up].
  Do you know {hero:child}? {hero.He} was {:trait}, and {hero.he} had [blue|brown|green] eyes. {!start=none}<sky>
  Everyone liked {hero:child}, for {hero.he} was {:trait} and {hero.he} made them laugh. {!start=none}<sky>
  {hero:child} was [four|five|six] and very {:trait}. <likes> <sky>
  {hero:child} was not a big child, but {hero.he} was {:trait}. <likes> <sky>

likes :
  {!start=habit}{hero.He} [loved|liked] to {p1:pastime} and {p2:pastime}.
  {!start=habit}All day long, {hero.he} wanted to {p1:pastime}.
  {!start=habit}No one could {p1:pastime} as well as {hero.he} could.
  {!start=kin}{hero.He} loved {hero.his} {folk:kin} very much.
  {!start=kin}{hero.He} and {hero.his} {folk:kin} had a little house.

sky :
  2: {!sky=sun}[The sun was out.|It was a warm day.|It was a sunny {:day}.|The sky was blue.|It was {:day}, and it was hot.]
  2: {!sky=wind}[The wind blew and blew.|It was {:day}, and a cold wind blew.|The wind sang in the trees.]
  {!sky=rain}[It had rained all night.|The grass was still wet from the rain.|There was mud all over.]
  {!sky=snow}[There was snow on the ground.|It was a cold, white {:day}.|The snow was deep.]
  2: {!sky=none}[It was {:day}.|It was early.|It was the first day of the week.|It was a day like any other.]

# A small thing that happens first.
first :
  {hero} put on a {:color} coat and {:color} boots. "[Have fun|Come back soon]," said {hero.his} {:kin}.
  {hero.He} had {s1:snack} and {s2:snack} with {hero.his} {:kin}. "Eat it all up," said {hero.his} {boss:kin}, and {hero.he} did.
  {hero} ate {s1:snack} until {hero.he} could not {:pastime}. But soon {hero.he} was [fine|well] again.
  First, {hero} had to make {hero.his} bed. It took a long time, but then {hero.he} could go out to play.
  From the window, {hero} saw {odd:pet.a}. "{odd.say}!" it said. "{odd.say}!" said {hero}, and they both looked happy.
  "I will be very {:trait+good} today," {hero} told {hero.his} {boss:kin}. This is what happened.
  {hero} sang a song. It was about {s1:snack} and {s2:snack}, and {hero.he} sang it very [loud|well]. Then it was time to go.
  {hero} told {hero.his} {boss:kin} about a dream. In the dream, {hero.he} could [fly over the house|talk to {:pet.a}|see in the dark].
  {hero} looked at {hero.his} feet. One shoe was {c1:color} and one was {c2:color}! {hero.He} laughed and went out.
  {hero} fell down at the door, but {hero.he} did not cry. "I am fine," {hero.he} said, and got up again.
  "Can I go out?" asked {hero}. "Yes, but come home for some {:snack}," said {hero.his} {boss:kin}.
  {hero} could not find {hero.his} shoe. {hero.He} looked and looked. It was {:under}! Now {hero.he} could go.
  {hero.His} {boss:kin} wanted to {:pastime}, but {hero} did not. So {hero.he} went out alone to look around.
  {hero} counted the clouds. "One, two, three, four," {hero.he} said. Then {hero.he} heard something.
  {hero} gave some {:snack} to a bird and some to {:pet+home.a}. Then {hero.he} went out to play.

plot :
  3: {!late=no}<lost>
  3: {!late=no}<broken>
  3: {!late=no}<shared>
  3: {!late=no}<animal>
  2: ?sky=sun/wind/none {!late=no}<rain>
  2: ?sky=sun/wind/rain/none {!late=no}<garden>
  2: {!late=no}<baking>
  2: {!late=no}<race>
  2: {!late=yes}<dark>
  2: {!late=no}<gift>
  2: ?sky=sun/none {!late=no}<picnic>
  2: {!late=no}<treasure>
  2: {!late=no}<hiding>
  2: {!late=no}<ill>
  2: {!late=no}<newcomer>
  3: ?sky=snow {!late=no}<snowman>

look = {:size} {:color}
a_look = {:size.a} {:color}

glad(x) :
  {x} was [happy|glad|proud].
  {x} [smiled|laughed|jumped up and down].
  "[Hooray|Oh, good|Yes]!" said {x}.
  {x} had a big smile.

sad(x) :
  {x} was [sad|upset].
  {x} began to cry.
  "Oh no!" said {x}.
  {x} sat down and [cried|did not say a word].

thank(x, y) :
  "Thank you, {y}!" said {x}.
  {x} gave {y} a [hug|kiss|cookie].
  Now {x} and {y} are [best|good] friends.
  "You are a good friend, {y}," {x} said.

lost :
  {hero} could not find {hero.his} <look> {toy:toy}. <sad(hero)> <looked>
  "Where is my {toy:toy}?" asked {hero}. It was {:color} and very {:size}, and now it was gone. <looked>
  {hero} took {hero.his} <look> {toy:toy} to the {place:place}. But when {hero.he} came home, {hero.he} did not have it. <sad(hero)> <looked>

  It was gone! {hero}'s <look> {toy:toy} was gone. <sad(hero)> <looked>
  {hero} had <a_look> {toy:toy}, and every night {hero.he} put it by {hero.his} bed. But now it was not there. <looked>

looked :
  {hero.He} looked in the {spot:place}, but it was not there. Then {friend:child} came to help. <found>
  {hero.He} asked {hero.his} {:kin}, but no one had seen it. "I will help you," said {friend:child}. <found>
  "Do not cry," said {friend:child}. "We can look for it." They looked and looked. <found>
  {friend:child} asked, "Did you look {:under}?" {hero} did, but it was not there. <found>

class under
  under_the_bed, behind_the_door, in_the_box, under_the_tree, behind_the_rock, by_the_wall, on_the_roof

found :
  {friend} looked {:under}. There was the {toy}! <glad(hero)> <thank(hero, friend)>
  "I see it!" said {friend}. The {toy} was {:under}. <glad(hero)>
  {:pet.A} had the {toy}! {friend} ran to get it back. <thank(hero, friend)>
  At last they saw it. {hero}'s {kin:kin} sat {:under} with the {toy}! They all laughed.
  They did not find the {toy}. But {friend} gave {hero} a new one. <thank(hero, friend)>

broken :
  {hero} and {friend:child} played with <a_look> {toy:toy}. It was {friend}'s {toy}. Then <crash> <sorry>
  "Look at my <look> {toy:toy}!" said {friend:child}. {hero} took it and ran. It was {friend}'s {toy}. But <crash> <sorry>
  {friend:child} let {hero} hold a <pretty> {toy:toy}. It was {friend}'s {toy}. {hero} [ran|jumped] with it, and <crash> <sorry>

  {hero} ran to {friend:child}, and {friend} had <a_look> {toy:toy}. "Do not run!" said {friend}, for it was {friend}'s {toy}. But <crash> <sorry>

pretty = pretty {:color}|very old
crash = the {toy} [fell|hit a wall|hit a rock] and broke. <sad(friend)>

sorry :
  "I am sorry, {friend}," said {hero}. "I will [fix|mend] it." <mended>
  {hero} wanted to run home. But {hero.he} [did not|stayed]. "It was me," {hero.he} said. <mended>
  "Do not cry, {friend}," {hero} said. "We can fix it." <mended>
  "I did not do it!" said {hero}. But that was not true. Soon {hero.he} said, "I am sorry, {friend}." <mended>

mended :
  {hero} got some [glue|tape|string] and fixed the {toy}. They played with it [again|all day|until night].
  {hero.His} {:kin} helped. Soon the {toy} was [as good as new|fine|better than before]. <glad(friend)>
  They worked for a long time. In the end the {toy} was [fine|like new]. <thank(friend, hero)>
  They could not fix it. So {hero} gave {friend} {hero.his} own {gift:toy}. <glad(friend)>

shared :
  {hero} had <a_look> {toy:toy}. {friend:child} saw it. "Can I play with your {toy}?" asked {friend}. <answer>
  {hero} played with <a_look> {toy:toy} by the {place:place}. {friend:child} stood by a tree. "Can I play, too?" {friend.he} asked. <answer>
  "I want that {toy:toy}," said {friend:child}. "But it is mine," said {hero}. It was {:color} and very {:size}. <answer>

  All the children wanted to see {hero}'s <look> {toy:toy}. "Let me have it," said {friend:child}. <answer>

answer :
  "[Yes|Here]," said {hero}. They played with the {toy} [all day|until night|for a long time]. Then {friend} gave it back. <shared_end>
  "No!" said {hero}. <sad(friend)> {hero} played alone. It was no fun. So {hero.he} ran to {friend}. "We can play together," {hero.he} said. <shared_end>
  {hero} [did not say yes|did not say no]. "You can have my {swap:toy} for one day," said {friend}. So {friend} took the {toy}, and {hero} took the {swap}. <shared_end>

shared_end :
  "It is [fun|good|nice] to share," said {hero}.
  <glad(friend)>
  From that day, {hero} and {friend} [played|sang|ran|danced] together every day.
  The next day, {friend} gave {hero} some {:snack} to say thank you.

animal :
  {hero} went to the {place:place}. There {hero.he} saw a {:tiny} {pet:pet.is} {pet}. It was <trouble>. <help>
  "{pet:pet.say}!" {hero} [heard|looked up]. It was a {:tiny} {pet}, and it was <trouble>. <help>
  {pet:pet.A} came to the door. "{pet.say}!" it said. It was [cold|hungry|wet|hurt] and all alone. <help>
  {hero} and {hero.his} {kin:kin} saw {pet:pet.a} by the {place:place}. "Look," said {hero}. "I think it is <trouble>!" <help>

class tiny
  small, little, thin, shy

trouble = lost|cold|hungry|wet|hurt|stuck in the mud|stuck in a bush|all alone

  "What was that?" asked {hero}. It was {pet:pet.a}! It sat {:under}, and it was <trouble>. <help>

help :
  {hero} gave it some {s1:snack} and some {s2:snack}. <pet_end>
  "Do not be afraid, {pet}," said {hero}. {hero.He} held it [in {hero.his} arms|for a long time]. <pet_end>
  {hero} called {friend:child}. They [took it home|got it some food|made a bed for it]. <pet_end>
  {hero} did not know what to do. "[Be kind to it|Give it a bed]," said {hero.his} {teacher:kin}. So {hero.he} did. <pet_end>

pet_end :
  The {pet} lived with {hero} from that day.
  Then its mother came! "Bye, {pet}!" said {hero}. "{pet.say}!" said the {pet}.
  Every day, {hero} went back to see the {pet}.
  Soon the {pet} was well. It [ran|went] home, and {hero} was sad and glad.
  "You are my friend now," {hero} said to the {pet}.

rain :
  {hero} wanted to go to the {place:place} with {friend:child}. But it began to rain. <sad(hero)> <indoors>
  {hero} and {friend:child} played by the {place:place}. Then it got dark, and it rained and rained! {!late=yes}They ran home. <indoors>
  "Look at that big black cloud," said {friend:child}. {hero} looked up. Drip, drop! They could not go to the {place:place}. <indoors>

indoors :
  "We can play with my {toy:toy}," said {friend}. And so they did. <sun_again>
  "We can [read|sing|dance|draw|bake]!" said {friend}. It was [a lot of|great] fun. <sun_again>
  They sat by the window and waited. {hero}'s {:kin} gave them some {:snack}. <sun_again>
  "I like rain," said {hero}. They put on {:color} boots and jumped in the mud. <sun_again>

sun_again :
  At last the sun came out, and they [saw a rainbow|went to the {place}].
  The rain did not stop. But they did not [mind|care].
  "Oh," said {hero}, "the rain has stopped!" And they ran out.

garden :
  {hero} put a [small|round|black] seed in the garden. {hero.He} gave it water every day. <wait>
  {hero.His} {giver:kin} gave {hero.him} a seed. "What is it?" asked {hero}. "Wait and see," said {hero.his} {giver}. {hero} put it in a pot. <wait>

  {hero} saw a [red|yellow|pink|white] flower. "I want one, too," said {hero}. So {hero.he} got a seed and put it in the ground. <wait>

wait :
  {friend:child} said, "It will not grow." But {hero} [waited|did not stop|sang to it]. <grown>
  "[Grow, grow, grow|Please come out]!" said {hero}. {friend:child} laughed. <grown>
  Then {:pet.a} ate the top of it! {hero} and {friend:child} made a wall of rocks. <grown>

grown :
  One day there was <a_look> flower! <glad(hero)>
  In the end, they had a lot of [apples|beans|berries|corn], and they ate and ate.
  "Look, {friend}!" said {hero}. It was a [tree|flower], and it was so [big|pretty]!
  The [flower|tree] was very small. But to {hero}, it was the best of all.

baking :
  {hero} wanted to make a [cake|pie] for {friend:child}. {hero.He} got some {s1:snack+bake} and some {s2:snack+bake}. <mishap>
  It was {friend:child}'s birthday. "I will make a cake," said {hero}. {hero.He} took some {s1:snack+bake} and began. <mishap>
  "I am hungry," said {friend:child}. So {hero} and {friend} made a pie with {s1:snack+bake} and {s2:snack+bake}. <mishap>

mishap :
  Oh no! It fell on the floor. So {hero} made it one more time. <eaten>
  It was too hot to eat, so they waited. It smelled [good|nice|sweet]. <eaten>
  {hero.His} {cook:kin} helped {hero.him} to bake it. <eaten>
  It came out [flat|black|very small]. "That is not good," said {hero}. <eaten>

eaten :
  {friend} ate it all. "It is so [good|nice|sweet]!" {friend.he} said.
  "[Yum|More, please]!" said {friend}. <glad(hero)>
  But {:pet.a} came and ate it first! {hero} and {friend} laughed and had {s3:snack}.
  They gave some to every child at school. <thank(friend, hero)>

race :
  {hero} and {friend:child} had a race to the {place:place}. "I am very fast," said {friend}. "So am I," said {hero}. They ran and ran. <race_turn>
  "Who can run to the {place:place} and back?" asked {friend:child}. "I can!" said {hero}. One, two, three, go! They ran as fast as they could. <race_turn>
  There was a race at school. {hero} ran. {friend:child} ran. They ran past the {place:place} and up the hill. Who was fast? Who was slow? <race_turn>

  {friend:child} was big. {hero} was small. "You can not win," said {friend}. But {hero} said, "Let us run to the {place:place}." <race_turn>

race_turn :
  {friend} fell [down|in the mud|on a rock]. {hero} stopped to help {friend.him}. So they came in last, [but they did not mind|hand in hand].
  {hero} was the first! {friend} was [sad|upset], but {friend.he} said, "Good job, {hero}."
  {friend} was the first! "You are fast, {friend}!" said {hero}. <glad(friend)>
  Then {:pet.a} ran by. It was the first! {hero} and {friend} laughed and laughed.
  They got there at the same time. "We both win!" said [{hero}|{friend}].

dark :
  It got dark, and {hero} was afraid. {hero.He} heard a [loud|strange|scary] noise. <what>
  {hero} could not sleep that night. What was that noise? It was {:under}! <what>
  {hero} lay in bed that night. Bump! Bump! "Who is there?" {hero.he} asked. <what>

what :
  "Is it a [ghost|bear|monster|wolf]?" asked {hero}. {hero.He} went to look with <a_look> lamp. <who>
  {hero} ran to {hero.his} {kin:kin}. "Come and see!" said {hero}. They took a lamp and went to look. <who>
  "I am brave," said {hero}. {hero.He} got up and went to the door. {hero.His} feet were cold. <who>

who :
  It was only a {pet:pet.is} {pet}! "{pet.say}," it said. It [slept in {hero.his} bed|stayed with {hero.him} all night].
  It was only the wind and a [tree|door|window]. <glad(hero)>
  There stood {hero}'s {cook:kin}, with some {:snack}! They sat down and ate it in the dark.
  It was only {friend:child}! "I had a bad dream," said {friend}. "You can sleep here," said {hero}.

gift :
  It was {friend:child}'s birthday. {hero} [made|bought|found] <a_look> {toy:toy} for {friend.him}. But on the way, it got [wet|lost]. <sad(hero)> <gift_end>
  {hero} wanted to give {friend:child} <a_look> {toy:toy}. But it cost too much. <sad(hero)> What could {hero.he} do? <gift_end>
  "I want <a_look> {toy:toy} for my birthday," said {friend:child}. {hero} did not have one. <gift_end>

gift_end :
  {hero} told {friend} about the {toy}. "It is fine," said {friend}. "I have you."
  So {hero} sang a song for {friend}. {friend} loved the song more than [a {toy}|any gift].
  So {hero} made {friend} a {:color} [hat|card]. {friend} had it for a long time.
  {hero.His} {kin:kin} helped {hero.him} to make a {toy} out of [wood|paper|an old box]. <thank(friend, hero)>

picnic :
  {hero} and {friend:child} took some {s1:snack} and {s2:snack} to the {place:place}. They sat down to eat. <thief>
  "I have {s1:snack}," said {hero}. "I have {s2:snack}," said {friend:child}. So they went to the {place:place} to eat. <thief>

thief :
  But {pet:pet.a} came and ate it all! "Bad {pet}!" said {hero}. But {friend} laughed. "It was hungry," {friend.he} said.
  "{pet:pet.say}!" said a {pet.is} {pet}. It was hungry, too. So they gave it some. <glad(friend)>
  But the bag was not there! They had left it at home. So they [ate berries from a bush|had to run back] and laughed.
  They ate and ate. Then they [slept in the sun|played with a ball|looked at the clouds]. "That one is like {:pet.a}," said {friend}.

treasure :
  {hero} found an old map in a [book|hat|box]. It showed the {place:place+dig}. {hero} and {friend:child} went there and dug. <box>
  "Look what I have," said {friend:child}. It was a map! {hero} and {friend} went to the {place:place+dig} and dug a big hole. <box>
  {hero} and {friend:child} dug a hole in the {place:place+dig}. They dug for a long time. "Stop!" said {friend}. "Here is something." <box>

box :
  They found <a_look> box. In the box was [gold|a ring|a crown|a key|a letter]! <glad(friend)>
  It was an old {toy:toy}. "It was mine," said {hero}'s {kin:kin}, "when I was small."
  It was only a [rock|shoe]. "It can be a hat," said {friend}, and they laughed.
  There was a box with {s1:snack} in it, and a note. "Well done," said the note.

hiding :
  {hero} and {friend:child} played hide and seek by the {place:place}. {hero} [counted to ten|shut {hero.his} eyes]. <seek>
  "You hide, and I will look for you," said {hero} to {friend:child}. They were by the {place:place}. One, two, three! <seek>

  "I can hide so well that you will not find me," {friend:child} told {hero}. {hero} shut {hero.his} eyes and counted. <seek>

seek :
  {hero} looked {u1:under}. No {friend}! {hero.He} looked {u2:under}. No {friend}! <seek_end>
  {hero} looked and looked, but {friend} was not there. <sad(hero)> <seek_end>
  "Are you {u1:under}?" asked {hero}. But it was only {:pet.a}. <seek_end>

seek_end :
  Then {friend} [laughed|sang], and {hero} found {friend.him}. "[Now you|My turn]!" said {friend}.
  {!late=yes}At last {hero} went home. There sat {friend} with some {:snack}! "I got hungry," said {friend}.
  "Here I am!" said {friend}, and jumped out of a [box|tree|bush].
  {friend} had gone to sleep {u3:under}. {hero} sat down and [waited|slept, too].

ill :
  {friend:child} was ill and had to stay in bed. {hero} was sad, for it was no fun to play alone. <visit>
  "Where is {friend:child}?" asked {hero}. "{friend} is ill," said {hero.his} {kin:kin}. <visit>

visit :
  {hero} took {friend} some {s1:snack} and <a_look> {toy:toy}. <well>
  {hero} stood by {friend}'s window and [sang|danced|made a funny face]. {friend} had to laugh. <well>
  {hero} read {friend} a book. It was about a {:trait} {:pet}. <well>
  {hero} drew a [yellow sun|red house|green tree] for {friend}. "I will look at it all day," said {friend}. <well>

well :
  Soon {friend} was well, and they [ran|went] to the {place:place}. <glad(friend)>
  Then {hero} was ill! So {friend} came to see {hero.him}.
  "I feel better now," said {friend}. <thank(friend, hero)>

newcomer :
  There was a new child in town. "This is {friend:child}," said {hero.his} {kin:kin}. {friend} was shy and sat alone. <meet>
  A child stood by the wall and did not say a word. It was {friend:child}. {friend.He} was new at school. <meet>

meet :
  {hero} had {s1:snack}. "Do you want some?" {hero.he} asked. {friend} did. <met>
  "Do you like to {:pastime}?" asked {hero}. "Yes," said {friend}, "I do!" <met>
  {friend} had <a_look> {toy:toy}. "That is nice," said {hero}. "I have one, too." <met>
  "{pet:pet.say}!" It was {pet.a}. {friend} and {hero} both ran after it, and they both fell down. <met>

met :
  They went to the {place:place} and [played|sang|danced] until night.
  {friend} smiled for the first time that day.
  "You are my first friend here," said {friend}. <glad(hero)>
  From then on, {hero} and {friend} went to school together.

snowman :
  {hero} and {friend:child} made a [man|bear|cat] out of snow. It had <a_look> hat. <snow_turn>
  "The snow is so deep!" said {friend:child}. {hero} and {friend} made a house of snow by the {place:place}. <snow_turn>

snow_turn :
  But the sun came out, and soon it was [small|gone]. <sad(friend)> "We can make a new one when it snows again," said {hero}.
  At night, {hero} was afraid that it was cold. So {hero.he} put {hero.his} {:color} coat on it. {hero.His} {kin:kin} laughed.
  Then {:pet.a} came and sat down by it. "It wants to be our friend," said {friend}. So they gave it some {s1:snack}.
  They threw snow at it, and at {hero}'s {kin:kin}, too! They all laughed until they were cold and wet.

# The last lines: what was there at the beginning can come back.
night :
  2: ?late=no Then {hero} went home and had {:snack} with {hero.his} {:kin}.
  2: ?late=no That night, {hero} told {hero.his} {listener:kin} [all about it|what had happened]. "You are very {:trait+good}," said {hero.his} {listener}.
  2: ?late=no When it was dark, {hero} went to bed and dreamed of a {:trait} {:pet}.
  3: ?start=habit The next day, {hero} wanted to {p1} again.
  3: ?start=kin {hero.His} {folk} gave {hero.him} a hug. "[I love you|Good night|Sleep well], {hero}," said {hero.his} {folk}.
  2: ?start=kin {hero} ran to {hero.his} {folk}. "[Guess what|Do you know what]?" {hero.he} said.
  3: ?start=pet {hero} told the {mate} about it. "{mate.say}!" said the {mate}.
  2: ?start=pet The {mate} [slept|sat] at {hero}'s feet, and [all was well|it was a good day].
  2: ?late=no&sky=sun The sun went down, and {hero} [ran|walked|went] home.
  2: ?sky=wind At last the wind was still.
  2: ?late=no&sky=rain Then it began to rain again, but {hero} was [warm|home] by then.
  2: ?sky=snow And it snowed and snowed, all night long.
  It was [a good|a great|the best] day.
  {hero} was tired, but {hero.he} was happy.
  ?late=no In the night, {hero} laughed in {hero.his} sleep.
  ?late=no At home, {hero.his} {listener:kin} asked, "Why are you so happy?" {hero} told {listener.him} why.
  ?late=no By then it was time to eat, and {hero} ate a lot of {:snack}.
  So if you see {hero}, ask {hero.him} about it.
  Everyone said that {hero} was very {:trait+good}.
  "What a day!" said {hero}[|, and went to sleep].
  {hero} did not forget that day.
  "Can we do it again?" asked {hero}. [And they did.|"Yes," said {hero.his} {:kin}.]
  ?late=no {hero} drew it all and put it on the wall.
  And that is the end of the story.
