# Sentences that many plots share. A rule with (x) or (x, y) is written for any two children.

say = said|cried|called|whispered|^shouted|^murmured|^exclaimed|^announced

day_time :
  [One|Early one|On a bright and quiet] {!time=morning}morning
  [One|Late one|On a long, lazy] {!time=afternoon}afternoon
  [One|Early one|On a still] {!time=evening}evening

weather :
  3: {!weather=sun}The sun [was shining|stood high in the sky|shone warm on the roofs] and <sunny>.
  2: {!weather=wind}A [strong|cold|cheerful] wind <windy>.
  2: {!weather=rain}It had rained [all night|since breakfast|for two days], and <rainy>.
  1: {!weather=snow}Snow [covered|lay soft and deep on] [every roof|the whole village|all the fields], and <snowy>.
  ^1: {!weather=fog}A thick fog [hid|had swallowed] the [chimneys|lanes|fields], and <foggy>.

sunny = the birds were singing|bees hummed in the flowers|there was not a cloud to be seen|everything smelled of warm grass|^butterflies drifted over the hedges|^the puddles from yesterday had dried|^the cat next door was asleep on the wall
windy = shook the trees|blew leaves down the road|rattled the windows|^chased the clouds across the sky|^whistled in the chimneys|^turned every umbrella inside out|^tugged at the washing on the lines
rainy = the paths were full of puddles|water dripped from every leaf|the gutters were still gurgling|^the ducks were delighted|^worms had come out to look at the world|^the whole street shone like glass
snowy = the air was very still|icicles hung from the gutters|every step made a crunching sound|^tiny tracks ran from bush to bush|^the pond had frozen hard|^smoke rose straight up from the chimneys
foggy = even the church bell sounded far away|the street lamps looked like small moons|nobody could see as far as the gate

sad(x) :
  {x} [felt|was] [very|so|rather] [sad|unhappy|upset|disappointed].
  How [miserable|troubled|gloomy|unhappy] {x} was!
  Tears [came to|filled|stung] {x}'s eyes.
  {x} sat down and [cried|sighed|hid {x.his} face|said nothing at all].
  "Oh no!" <say> {x}. "[What shall I do|What now|How could this happen]?"
  {x}'s [heart sank|lip began to tremble|shoulders drooped].
  ^A lump [rose|grew] in {x}'s throat.
  ^For a while {x} only [stared at the ground|kicked at the dust|swallowed and blinked].

glad(x) :
  {x} [was|felt] [very|so] [happy|glad|proud|pleased].
  {x} [smiled|laughed|grinned|beamed] from ear to ear.
  {x} [jumped|danced|clapped|skipped] for joy.
  "[Hooray|Wonderful|How lovely]!" <say> {x}.
  {x}'s eyes [shone|sparkled|were bright].
  ^{x} felt as light as [a feather|thistledown|a soap bubble].
  ^A warm feeling [spread|crept] through {x}, right down to {x.his} toes.

comfort(x, y) :
  "Don't [cry|worry|be sad], {y}," <say> {x}. "[I'll help you|We'll think of something|It isn't so bad]."
  {x} [sat down beside|put an arm around|patted] {y} [and waited|without a word|for a while].
  {x} [gave|lent|handed] {y} a [handkerchief|clean tissue|big hug].
  "I know how you feel," {x} said. "[Once I lost my tooth|Last week I tore my coat|I had a day like that, too]."
  "Let's [take a deep breath|count to ten|start at the beginning]," said {x}.
  ^{x} told {y} the silliest joke {x.he} knew, and {y} had to [smile|giggle] in spite of everything.

thank(x, y) :
  "Thank you [so much|very much|for your help], {y}!" <say> {x}.
  {x} [hugged|thanked] {y} [twice|with all {x.his} heart|again and again].
  "You're [a true friend|the best|so kind], {y}," said {x}.
  "I couldn't have done it without you," {x} told {y}.
  {x} gave {y} [half of {x.his} {:snack}|the biggest {:color} flower {x.he} could find|{:color.a} ribbon] to say thank you.
  ^"If you ever need me," {x} said to {y}, "I'll come [running|at once|in the middle of the night]."

sorry(x, y) :
  "I'm [sorry|so sorry|terribly sorry], {y}," <say> {x}. "[I didn't mean to|It was my fault|Please forgive me]."
  {x} looked at {x.his} shoes. "I [was careless|should have asked|wasn't thinking]," {x.he} said. "I'm sorry, {y}."
  It took {x} a long time to say it, but at last {x.he} [whispered|said], "Please don't be angry, {y}."
  ^{x.His} cheeks [burned|turned red]. "I've been foolish, {y}," {x.he} said. "Can we be friends again?"

forgive(x, y) :
  "That's all right," <say> {x}. "[Everybody makes mistakes|It can be mended|I'm not cross], {y}."
  {x} thought about it. Then {x.he} [smiled|nodded] and [held out|took] {y}'s hand.
  "Well," said {x}, "you told me the truth, {y}, and that's [what matters|the hard part|brave]."
  ^{x} was [cross|silent] for as long as it takes to [count to twenty|eat a plum|tie a shoe]. Then {x.he} forgave {y}.

snack_break(x, y) :
  They [stopped|sat down] to eat some {snack_a:snack}[| and {snack_b:snack}].
  {x} had brought {:snack} in {x.his} [bag|pocket|basket], and {y} [ate almost everything|was glad to share|had brought nothing but a big appetite].
  "I'm hungry," {y} said, so {x} shared {x.his} {:snack}.
  ^Halfway there, {y} found some {:snack} in {y.his} pocket. They tasted only a little of [dust|soap|string].

obstacle(x, y) :
  On the way they came to a [stream|deep ditch|muddy field]. {x} [jumped|climbed|waded] across first and [helped|pulled] {y} over.
  Then they [took a wrong turn|lost the path]. "It's this way," said {y}, pointing at {:color.a} [signpost|gate|roof], and {y.he} was right.
  A [high fence|locked gate|stone wall] stood in the way, but {y} [found a gap|knew another path|gave {x} a leg up].
  A large {:color} dog [barked|growled] at them. {x} [stood quite still|spoke to it softly|gave it a biscuit], and soon it wagged its tail.
  ^They had to cross a wobbly bridge. "Don't look down," said {x}. {y} looked down, of course, and [squealed|held on tight|shut both eyes].
  ^A herd of [cows|sheep|geese] filled the whole lane. {x} and {y} [squeezed past|waited|counted them all] until the road was free again.
  ^{y} got [a stone|sand|a thorn] in {y.his} shoe, and {x} had to wait while {y.he} hopped about on one leg.

advice(x) :
  An old {job:worker} was [sitting|resting|working] nearby. "Whoever looks slowly finds quickly," said the {job}. {x} [thought|wondered] about that.
  {job:worker.A} came by and asked what the matter was. {x} told {job.him} [everything|the whole story]. "[Try once more|Don't give up|Ask a friend]," said the {job}.
  {x} met {job:worker.a} on the road. The {job} listened and [scratched {job.his} chin|nodded]. "[I'd start again where it all began|Two heads are better than one|Sleep on it, then try again]," {job.he} said.
  ^"Have you asked the {:animal}?" said a passing {job:worker}. {x} thought that was a joke, but the {job} [was serious|didn't laugh|only winked and walked on].

home(x) :
  ?time=morning By noon {x} was home again, [hungry|tired|muddy] and [content|full of stories|humming].
  ?time=afternoon {x} was home in time for [supper|tea]. There was [warm|fresh] {:food+mass}.
  ?time=evening The [stars|first stars] were out when {x} [got|walked|skipped] home.
  {x.His} {kin:kin} was waiting at the door. "[What a day|Tell me everything|There you are]!" {kin.he} said, and {x} told {kin.him} the whole story.
  At home, {x} [washed|drew a picture of it all|put {x.his} boots by the stove] and [fell asleep at once|yawned|went to bed early].

sky_end :
  ?weather=sun Outside, the sun [was still shining|went down behind the trees|made long shadows].
  ?weather=rain Outside, the rain had [stopped|started again], and nobody [cared|minded].
  ?weather=wind At last the wind [had dropped|was tired and still].
  ?weather=snow Outside, it had begun to snow [once more|again, in big soft flakes].
  ?weather=fog And the fog? It had [lifted|melted away], and no one had noticed.
  [Everything|The whole world] was [quiet|peaceful] now.

ending(x, y) :
  3: <moral(y)>
  2: <home(x)>
  2: <sky_end> <moral(y)>
  2: And from that day on, {x} and {y} [were the best of friends|met every week|shared all their secrets].
  1: {y} still [laughs|talks|thinks] about it, and so does {x}.
  1: That night {x} dreamed of [{:color} clouds|a talking {:animal}|{snack_a:snack} and {snack_b:snack}|nothing at all].
  ^1: "[Same time tomorrow|Shall we do it all again|What shall we do next]?" asked {y}. {x} [was already asleep|only laughed|thought that was a splendid idea].

# What the hero was like in the first lines, and what the plot was about, come back here.
moral(y) :
  ?tr+shy {hero} was not [quite so|as] {tr} any more.
  ?tr+rash {hero} had been a bit {tr} before. Now {hero.he} [looked twice before each step|thought first and acted afterward|was more careful].
  ?tr+bold Even a {tr} child needs a friend, thought {hero}, and {hero.he} was glad of {y}.
  ?tr+kind "You really are {tr}, {hero}," said {y}, and it was true.
  ?tr+keen Being {tr} had been a great help to {hero} that day.
  2: <learned> that <lesson>.
  "You know what?" said {y}. "[This was the best day of the year|I wouldn't change a thing|We make a good team]."

learned = {hero} had learned|{hero} knew now|It was clear to {hero}|^As the old people say, it turned out|^{hero} told everyone

lesson :
  ?lesson=truth [telling the truth makes the heart light|a mistake is only a mistake, but a lie grows|the truth is easier to carry than a secret]
  ?lesson=patience [good things take time|nothing grows faster for being shouted at|patience is a kind of magic]
  ?lesson=help [it helps to ask for help|four eyes see more than two|courage is easier in company|nobody has to do everything alone]
  ?lesson=friend [a friend is worth more than any toy|it is better to share than to win|saying sorry first is not losing]
